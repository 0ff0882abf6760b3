"""A look at the final change by an agent with fresh eyes, before the host proves it."""

import re
from typing import Final

from ay_bot.agent import prompt
from ay_bot.agent.delegating import Delegate
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.messages import Review, ReviewFinding

GIT: Final = "git -c core.fsmonitor= -c core.hooksPath=/dev/null"
DIFF: Final = f"{GIT} add -A -N && {GIT} diff --no-ext-diff --no-textconv --no-color"
DIFF_SECONDS: Final = 60.0
LONGEST_CHANGE: Final = 60_000  # bytes of the diff that the reviewer is shown; it can read the rest
FRAME_OF_PARTS: Final = 600  # bytes of the words around the task, the summary and the change
MOST_REVIEWS: Final = 2  # the second says whether the first was heeded
MOST_FINDINGS: Final = 20
LONGEST_FINDING: Final = 1_000
FINDING: Final = re.compile(
    r"^\s*(?:[-*]\s*)?(?:`?(?P<path>[^\s:`]{1,300})`?:(?:(?P<line>\d{1,7}):)?)?\s*(?P<text>\S.*)$"
)


class Reviewer:
    """Owns what the reviews of one session said; the `last` one goes out with its change.

    What a reviewer is told has `room` for so many bytes.
    """

    def __init__(self, task: str, delegate: Delegate, bench: Workbench, room: int) -> None:
        self._room = room - FRAME_OF_PARTS
        self._task = _begin(task, self._room // 3)
        self._delegate = delegate
        self._bench = bench
        self._rounds = 0
        self._seen = ""
        self.last: Review | None = None

    def object_to(self, summary: str) -> Review | None:
        """Have the change as it is now looked at; return what its author should hear before it is done, if anything."""
        change = describe_change(self._bench)
        if self._rounds >= MOST_REVIEWS:
            if self.last and self.last.verdict == "approve" and change != self._seen:
                self.last = Review(verdict="none")  # what was approved is not what there is now
            return None
        if not change:
            return None
        self._rounds += 1
        self._seen = change
        summary = _begin(summary, self._room // 6)
        change = _begin(change, self._room - len((self._task + summary).encode("utf-8", "replace")))
        task = prompt.build_review(self._task, summary, change)
        ended = self._delegate.review(task, self._bench.root, prompt.REVIEWER)
        self.last = parse_review(ended.summary) if ended.reason == "finished" else Review(verdict="none")
        return self.last if self.last.verdict == "object" and self._rounds < MOST_REVIEWS else None


def _begin(text: str, most: int) -> str:
    """Return so many bytes of a text, so that what stands behind it is not cut off in its place."""
    data = text.encode("utf-8", "replace")
    return (
        text if len(data) <= most else f"{data[: max(most - 40, 0)].decode('utf-8', 'ignore')}\n[… cut; read the files]"
    )


def parse_review(text: str) -> Review:
    """Read a reviewer's words; without a verdict in the first lines there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    verdicts = [(at, word) for at, line in enumerate(lines[:5]) if (word := _verdict(line))]
    if not verdicts:
        return Review(verdict="none")
    at, word = verdicts[0]
    findings = tuple(_finding(line) for line in lines[at + 1 :][:MOST_FINDINGS])
    return Review(verdict="approve" if word == "APPROVE" else "object", findings=findings)


def describe_change(bench: Workbench) -> str:
    """Return the diff against the base where the throw-away repository can make it, else names; empty for no change."""
    if (bench.root / ".git").is_dir():
        ran = bench.run(DIFF, cwd=bench.root, timeout=DIFF_SECONDS, head=LONGEST_CHANGE, tail=0)
        if ran.exit_code == 0 and ran.output:
            return ran.output if ran.total_bytes <= LONGEST_CHANGE else f"{ran.output}\n[… cut; read the files]"
    names = sorted(bench.shown(path) for path in bench.edited)
    return f"these files were edited; read them: {', '.join(names)}" if names else ""


def _verdict(line: str) -> str:
    found = re.match(r"[\W_]*(APPROVE|OBJECT)\w*", line, re.IGNORECASE)
    return found[1].upper() if found else ""


def _finding(line: str) -> ReviewFinding:
    match = FINDING.match(line)
    path, text = (match["path"] or "", match["text"]) if match else ("", line)
    looks_like_path = "/" in path or "." in path
    number = int(match["line"]) if match and match["line"] and looks_like_path else 0
    return ReviewFinding(
        path=path if looks_like_path else "",
        line=number,
        text=(text if looks_like_path or not path else line.lstrip("-* "))[:LONGEST_FINDING],
    )
