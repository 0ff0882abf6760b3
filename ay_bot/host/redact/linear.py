"""Expressions that take time in proportion to the text, whatever the text: RE2, which hostile text can't slow down."""

from collections.abc import Iterator
from functools import cache
from typing import Protocol, cast


class Found(Protocol):
    """What an expression found."""

    def start(self, group: int = 0, /) -> int:
        """Return where it begins."""

    def end(self, group: int = 0, /) -> int:
        """Return where it ends."""


class Expression(Protocol):
    """A compiled expression over bytes."""

    @property
    def groups(self) -> int:
        """How many groups it has."""

    def finditer(self, data: bytes, /) -> Iterator[Found]:
        """Yield what it finds, from left to right."""


@cache
def compile_linear(pattern: bytes) -> Expression:
    """Return an expression that sees bytes, so that what is no text does not matter."""
    import re2  # type: ignore[import-untyped]  # it has no types

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return cast("Expression", re2.compile(pattern, options))
