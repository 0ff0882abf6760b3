"""Lines on stdout that the runner of GitHub Actions takes for commands, and text that it must not take for any.

Everything is built as text and handed to a function that writes it; nothing here writes by itself.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from ay_bot.host.plain_text import clean_line, clean_text, shorten

Level = Literal["error", "warning", "notice"]
Write = Callable[[str], None]
MOST_ANNOTATIONS = 10
"""More of one level than this are not shown by GitHub."""
LONGEST_MESSAGE = 4_000
LONGEST_TEXT = 200_000
_OLD_COMMAND = re.compile(r"##(?=\[)")


def render_annotation(level: Level, message: str, title: str = "") -> str:
    """Return the command that shows a message on the run's page."""
    about = f" title={_escape_property(shorten(title, 200))}" if title else ""
    return f"::{level}{about}::{_escape_data(shorten(message, LONGEST_MESSAGE))}"


def render_mask(secret: str) -> tuple[str, ...]:
    """Return the commands that hide a secret in the log, a line of it each."""
    return tuple(f"::add-mask::{_escape_data(line)}" for line in secret.splitlines() if len(line.strip()) > 3)


def render_untrusted(text: str, token: str) -> str:
    """Return text of others between the commands that stop and resume commands, and harmless without them too."""
    lines = (f"| {_OLD_COMMAND.sub('## ', line)}" for line in clean_text(shorten(text, LONGEST_TEXT)).split("\n"))
    return "\n".join([f"::stop-commands::{token}", *lines, f"::{token}::"])


class WorkflowLog:
    """Writes to the log of a step. `write` gets whole lines."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._annotations: dict[Level, int] = {}

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is written meanwhile under a title."""
        self._write(f"::group::{_escape_data(clean_line(shorten(title, 200)))}")
        try:
            yield
        finally:
            self._write("::endgroup::")

    def untrusted(self, text: str) -> None:
        """Write text of others, none of which is a command."""
        self._write(render_untrusted(text, secrets.token_hex(16)))

    def mask(self, secret: str) -> None:
        """Hide a secret in everything that is written from here on."""
        for line in render_mask(secret):
            self._write(line)

    def annotate(self, level: Level, message: str, title: str = "") -> None:
        """Show a message on the run's page; the text is escaped and may be anybody's."""
        count = self._annotations[level] = self._annotations.get(level, 0) + 1
        if count <= MOST_ANNOTATIONS:
            self._write(render_annotation(level, message, title))
        else:
            self.untrusted(message)


def _escape_data(text: str) -> str:
    plain = clean_text(_OLD_COMMAND.sub("## ", text))
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
