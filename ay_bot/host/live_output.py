"""What a command in a box writes, as it comes: bounded, and made fit for a terminal before anybody sees it."""

import codecs
import re
from collections.abc import Callable
from typing import Final

from ay_bot.errors import ProtocolBroken
from ay_bot.host.plain_text import clean_text
from ay_bot.host.sanitize_characters import ESCAPES

MOST: Final = 1024 * 1024
"""How many bytes are shown as they come; of the rest there is a tail in the end."""
LONGEST_ESCAPE: Final = 256
INTRODUCERS: Final = ("\x1b", "\x9b", "\x9d")
_PARAMETERS = re.compile(r"\x1b\[[0-?]*[ -/]*")


class LiveOutput:
    """Takes bytes and gives text; a character or an escape sequence that is cut in two waits for its other half."""

    def __init__(self, show: Callable[[str], None], most: int = MOST) -> None:
        self._show = show
        self._left = most
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting = ""
        self.text = ""

    def add(self, data: bytes) -> None:
        """Take the next bytes. Raises ProtocolBroken for more than were asked for."""
        self._left -= len(data)
        if not data or self._left < 0:
            raise ProtocolBroken("the box told more of a command's output than it was asked for; it was ended")
        text, self._waiting = _split(self._waiting + self._decoder.decode(data))
        self._give(text)

    def end(self, rest: str) -> None:
        """Take what is left: the end of what came, and `rest`, which the box kept to the end."""
        self._give(self._waiting + self._decoder.decode(b"", final=True))
        self._waiting = ""
        self._give(rest)

    def _give(self, text: str) -> None:
        cleaned = clean_text(text)
        if cleaned:
            self.text += cleaned
            self._show(cleaned)


def _split(text: str) -> tuple[str, str]:
    """Return what can be judged now, and what may go on in the next bytes."""
    recent = max(0, len(text) - LONGEST_ESCAPE)
    start = max(text.rfind(introducer, recent) for introducer in INTRODUCERS)
    if start >= 0 and _may_go_on(text, start):
        return text[:start], text[start:]
    return (text[:-1], text[-1:]) if text.endswith("\r") else (text, "")


def _may_go_on(text: str, start: int) -> bool:
    found = ESCAPES.match(text, start)
    return found is None or found.end() == len(text) or _PARAMETERS.fullmatch(text, start) is not None
