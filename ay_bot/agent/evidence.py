"""What comes back of a part of the work: a bounded JSON object, with evidence that its agent did not write itself."""

import json
from collections.abc import Sequence
from typing import Final

from ay_bot.agent.ending import Ending
from ay_bot.agent.tools.result import one_line
from ay_bot.agent.worktree import Merged
from ay_bot.protocol.events import AgentEvent, Part, ToolFinished, ToolStarted

LONGEST: Final = 6_000  # bytes of a result: 2,000 tokens even of Chinese or of digits; 1,500 of English
MOST_FILES: Final = 30
LONGEST_NAME: Final = 60
MOST_EVIDENCE: Final = 12  # the last of them
LOOKING: Final = frozenset({"read", "search"})  # several at once, so that a start and an end can't be told apart
RUNNING: Final = frozenset({"shell", "run_tests"})


class Evidence:
    """What an agent looked at and ran, as its events have it."""

    def __init__(self) -> None:
        self._started = ""
        self._lines: dict[str, None] = {}

    def hear(self, event: AgentEvent) -> None:
        """Take in an event of this agent."""
        if isinstance(event, ToolStarted):
            self._started = event.summary
            if event.tool in LOOKING:
                self._note(f"{event.tool} {event.summary}")
        elif isinstance(event, ToolFinished) and event.tool in RUNNING:
            self._note(f"{event.tool} {self._started}: {event.outcome}".replace(" :", ":"))

    def _note(self, text: str) -> None:
        line = one_line(text, 100)
        self._lines.pop(line, None)
        self._lines[line] = None

    def lines(self) -> tuple[str, ...]:
        """The last of it, each once."""
        return tuple(self._lines)[-MOST_EVIDENCE:]


def render_result(number: int, part: Part, end: Ending, evidence: Sequence[str], merged: Merged | None) -> str:
    """Return a result as JSON of at most `LONGEST` bytes; the summary is what gives way."""
    files = {"files": _few(merged.taken), "conflicts": _few(merged.conflicts)} if merged else {}
    head = {"agent": number, "role": part, "status": end.reason}
    given = {**head, "summary": "", **files, "evidence": list(evidence)}
    while _size(given) > LONGEST * 2 // 3 and given["evidence"]:
        given["evidence"] = list(evidence := evidence[1:])
    given["summary"] = _cut(end.summary, LONGEST - _size(given))
    return json.dumps(given, ensure_ascii=False, indent=1)


def _few(names: Sequence[str]) -> list[str]:
    few = [_cut(name, 4 * LONGEST_NAME) for name in names[:MOST_FILES]]
    while sum(map(_size, few)) > LONGEST // 3:
        few.pop()
    return few if len(few) == len(names) else [*few, f"and {len(names) - len(few)} more"]


def _cut(text: str, most: int) -> str:
    """The beginning of a text, as much as has so many bytes as JSON."""
    text = text.encode("utf-8", "replace").decode()
    if _size(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle] + "…") <= most else (low, middle - 1)
    return text[:low] + "…"


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
