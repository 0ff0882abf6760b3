"""A `.dockerignore`: what of its context a build does not get, its patterns read as Docker's own SDK reads them."""

from collections.abc import Callable, Iterator
from typing import Final, cast

from ay_bot.errors import UsageError
from ay_bot.host.plain_text import clean_line

NAME: Final = ".dockerignore"
LARGEST: Final = 64 * 1024
MOST_PATTERNS: Final = 500
Match = Callable[[bytes], object]


class Ignored:
    """The patterns of one file; without any, everything is kept. Raises UsageError for what is no pattern."""

    def __init__(self, content: bytes, path: str) -> None:
        if len(content) > LARGEST:
            raise UsageError(f"{clean_line(path)} is larger than {LARGEST // 1024} KiB", hint="write fewer patterns")
        self._path = path
        lines = tuple(_lines(content.decode("utf-8-sig", "surrogateescape")))
        if len(lines) > MOST_PATTERNS:
            raise UsageError(f"{clean_line(path)} has more than {MOST_PATTERNS} patterns", hint="write fewer of them")
        self._patterns = tuple(self._read(line) for line in lines)
        self._directories: dict[str, tuple[bool, ...]] = {"": (False,) * len(lines)}

    @property
    def says_something(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._patterns)

    def keeps(self, path: str) -> bool:
        """Whether the build gets a path of the context: the last pattern decides that matches it, or what it is in."""
        rows = zip(self._patterns, self._match(path), strict=True)
        return next((is_exception for (is_exception, _), matches in reversed(tuple(rows)) if matches), True)

    def _match(self, path: str) -> tuple[bool, ...]:
        """Say of each pattern whether it matches a path or a directory that it is in."""
        above, *parts = "", *path.split("/")
        for end in range(1, len(parts)):
            directory = "/".join(parts[:end])
            if directory not in self._directories:
                self._directories[directory] = self._match_in(above, directory)
            above = directory
        return self._match_in(above, path)

    def _match_in(self, directory: str, path: str) -> tuple[bool, ...]:
        name, above = path.encode("utf-8", "surrogateescape"), self._directories[directory]
        return tuple(up or match(name) is not None for up, (_, match) in zip(above, self._patterns, strict=True))

    def _read(self, line: str) -> tuple[bool, Match]:
        """Return whether a pattern makes an exception, and what matches it in time proportional to a name."""
        import re2  # type: ignore[import-untyped]  # it has no types
        from docker.utils.build import Pattern
        from docker.utils.fnmatch import translate

        pattern = Pattern(line)
        options = re2.Options()
        options.log_errors, options.dot_nl = False, True
        try:
            found = re2.compile(translate(pattern.cleaned_pattern).encode("utf-8", "surrogateescape"), options)
        except re2.error as error:
            what = f"`{clean_line(line)[:100]}` in {clean_line(self._path)} is no pattern ({error})"
            raise UsageError(
                what, hint="write it as `docker build` reads it: *, ** and ? for what may differ"
            ) from None
        return pattern.exclusion, cast("Match", found.match)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines that say something, as Docker's SDK takes them from the file."""
    for line in text.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#") and pattern.strip("!/. "):
            yield pattern
