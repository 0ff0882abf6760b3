"""What a tool gives back: text for the model, a line for people, and what the loop needs to know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`text` goes to the model, `outcome` is one line for people; `failure` names the kind of error, if it is one.

    `pattern` says what went wrong too often, where the tool itself knows.
    """

    text: str
    outcome: str = ""
    ok: bool = True
    failure: str = ""
    pattern: str = ""
    read: str = ""  # the file whose content `text` is
    passed: int | None = None  # how many tests pass, where it ran them and knows
    ends: bool = False


def refused(kind: str, text: str) -> ToolResult:
    """The model asked for what can't be done: `text` tells it why, and what can."""
    return ToolResult(text, outcome=one_line(text), ok=False, failure=kind)


def one_line(text: str, width: int = 120) -> str:
    """The first line that says something, cut to `width`."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= width else line[: width - 1] + "…"


def plural(number: int, noun: str) -> str:
    """Like "1 line" and "2 lines"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "es" if noun.endswith("ch") else "s")
