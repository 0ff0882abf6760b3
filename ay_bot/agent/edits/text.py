"""A file's bytes as text and back, without losing one: encoding, byte order mark, and every line's own ending."""

import re
from dataclasses import dataclass

BOM = "\ufeff"
LINES = re.compile(r"([^\r\n]*)(\r\n|\n|\r)|([^\r\n]+)")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text with its encoding; what is not UTF-8 is taken as Latin-1, which maps every byte to itself."""

    text: str
    encoding: str = "utf-8"
    bom: bool = False

    def encode(self, text: str) -> bytes:
        """The bytes of `text` as this file has them. Raises UnicodeEncodeError where Latin-1 can't say it."""
        return ((BOM if self.bom else "") + text).encode(self.encoding)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text and how it ends, which is with nothing for a last line without a newline."""

    body: str
    end: str


def decode(content: bytes) -> Decoded:
    """Read bytes as text."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return Decoded(content.decode("latin-1"), "latin-1")
    return Decoded(text[1:], bom=True) if text.startswith(BOM) else Decoded(text)


def split(text: str) -> list[Line]:
    """Cut text into lines."""
    return [Line(body or rest, end) for body, end, rest in LINES.findall(text)]


def join(lines: list[Line]) -> str:
    """The opposite of `split`."""
    return "".join(line.body + line.end for line in lines)
