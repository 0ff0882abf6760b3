"""What is asked for: the task's text, read from wherever the user put it."""

import sys
from pathlib import Path

from ay_bot.errors import UsageError
from ay_bot.protocol.conversation import Value

MAX_TASK = 200_000  # characters


class Task(Value):
    """A title of one line and the whole text, both non-empty."""

    title: str
    text: str


def read_task(task: str | None, issue: str | None) -> Task:
    """Return the task given as text, as a file, or as `-` for standard input. Raises UsageError."""
    if (task is None) == (issue is None):
        what = "no task was given" if task is None else "both --task and --issue were given"
        raise UsageError(
            what, hint="say what to do with `--task TEXT` or `--issue FILE` (`--issue -` reads from stdin)"
        )
    return parse_task(task if task is not None else _read_issue(issue or ""))


def parse_task(text: str) -> Task:
    """Return the task that a text states; its first line that says something is the title."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise UsageError("the task is empty", hint="write what should be done, in a sentence or more")
    if len(text) > MAX_TASK:
        msg = f"the task has {len(text):,} characters; at most {MAX_TASK:,} are read"
        raise UsageError(msg, hint="shorten it, and leave long logs in the repository or out")
    title = next(line.strip("#*_ \t") for line in text.splitlines() if line.strip("#*_ \t-=") or line.strip())
    return Task(title=(title or text.splitlines()[0].strip())[:200], text=text)


def _read_issue(issue: str) -> str:
    if issue == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        return Path(issue).read_bytes().decode("utf-8", "replace")
    except OSError as error:
        msg = f"the issue file `{issue}` can't be read: {error.strerror}"
        raise UsageError(msg, hint="give the path of a text file, or `-` for stdin") from None
