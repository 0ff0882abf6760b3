"""Noticing that the agent goes round in circles; what it thinks aloud does not count, only what it does."""

import contextlib
import difflib
import hashlib
import os
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

WINDOW = 16
SIMILAR = 0.9
STATES = 3
IDLE = 10
COMPARED = 5_000  # characters at each end of a result
# What differs between two runs of the same thing, and means nothing. Counts and percentages stay: they are progress.
VOLATILE = (
    (re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]"), ""),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d([.,]\d+)?\b"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)?\s?(ns|us|µs|ms|s|sec|secs|seconds?|min|minutes?)\b"), "<duration>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<address>"),
    (re.compile(r"\b(pid|process|port|thread)([ =:#]+)\d+", re.IGNORECASE), r"\1\2<n>"),
    (re.compile(r"(localhost|127\.0\.0\.1|0\.0\.0\.0):\d+"), r"\1:<n>"),
    (re.compile(r"/tmp/[\w./-]+"), "<tmp>"),  # noqa: S108 - found, not used
)
DIGITS_AND_QUOTES = re.compile(r"\d+|'[^']*'|\"[^\"]*\"|`[^`]*`")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done: what, and how it came out. `failure` is set where the tool itself refused."""

    action: str
    outcome: str
    tool: str
    failure: str = ""


class StuckDetector:
    """Keeps the last acts and messages, and names the pattern they make."""

    def __init__(self) -> None:
        self._acts: deque[Act] = deque(maxlen=WINDOW)
        self._said: list[str] = []
        self._seen: set[str] = set()  # outcomes
        self._states: list[str] = []  # of the edited files, each different from the one before
        self._most_passed = -1
        self._idle = 0

    def acted(self, tool: str, arguments: str, outcome: str, failure: str = "") -> str:
        """Note an act; return the pattern it completes, if any."""
        self._said.clear()
        digest = _digest(normalise(outcome))
        self._idle = 0 if digest not in self._seen else self._idle + 1
        self._seen.add(digest)
        shape = DIGITS_AND_QUOTES.sub("<>", outcome.strip().partition("\n")[0]) if failure else ""
        self._acts.append(
            Act(
                _digest(tool + "\0" + arguments),
                digest,
                tool,
                f"{failure}:{shape}" if failure else "",
            )
        )
        return self._repeats() or self._cycles() or self._idles()

    def edited(self, state: str) -> str:
        """Note the state of all edited files, whatever stands for it; return the pattern that it completes, if any."""
        if self._states and self._states[-1] == state:
            return ""
        self._idle = 0
        self._states.append(state)
        if self._states.count(state) >= STATES:
            return f"the edited files are as they were before, for the {STATES}rd time, and no more tests pass"
        return ""

    def tested(self, passed: int) -> None:
        """Note how many tests pass: going back and forth with more of them is progress."""
        if passed > self._most_passed:
            self._most_passed = passed
            self._states.clear()

    def said(self, text: str) -> str:
        """Note a message without an act; return the pattern it completes, if any."""
        self._said = [*self._said[-2:], text.strip()]
        if len(self._said) == 3 and all(_similar(self._said[0], other) for other in self._said[1:]):
            return "the same message three times without doing anything"
        return ""

    def _repeats(self) -> str:
        acts = list(self._acts)
        last = acts[-1]
        if len(acts) >= 4 and all((act.action, act.outcome) == (last.action, last.outcome) for act in acts[-4:]):
            return f"the same {last.tool} call with the same result four times"
        if len(acts) >= 3 and all(act.failure and act.action == last.action for act in acts[-3:]):
            return f"the same {last.tool} call failing three times"
        if (
            last.failure
            and len(acts) >= 4
            and all((act.tool, act.failure) == (last.tool, last.failure) for act in acts[-4:])
        ):
            return f"{last.tool} failing in the same way four times"
        return ""

    def _idles(self) -> str:
        return (
            f"{IDLE} calls since the last edit that showed nothing new" if self._states and self._idle >= IDLE else ""
        )

    def _cycles(self) -> str:
        steps = [(act.action, act.outcome) for act in self._acts]
        for period in (2, 3, 4):
            span = steps[-3 * period :]
            if len(span) == 3 * period and span[:period] * 3 == span:
                return f"the same {period} calls with the same results three times over"
        return ""


def digest_files(paths: Iterable[Path]) -> str:
    """One digest of what these files are now; a file that is gone or can't be read is so."""
    total = hashlib.sha1(usedforsecurity=False)
    for path in sorted(paths):
        total.update(os.fsencode(path) + b"\0")
        with contextlib.suppress(OSError):
            total.update(hashlib.sha1(path.read_bytes(), usedforsecurity=False).digest())
    return total.hexdigest()


def normalise(text: str) -> str:
    """Mask what differs between two runs of the same thing."""
    text = text if len(text) <= 2 * COMPARED else text[:COMPARED] + text[-COMPARED:]
    for pattern, mask in VOLATILE:
        text = pattern.sub(mask, text)
    return text.strip()


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _similar(one: str, other: str) -> bool:
    return one == other or difflib.SequenceMatcher(None, one[:2_000], other[:2_000], autojunk=False).ratio() >= SIMILAR
