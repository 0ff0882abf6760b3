"""Which new files a repository ignores: its .gitignore files as they were seeded, and the run's own patterns."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_IGNORE_FILE = 1024 * 1024
NAME = b".gitignore"


@dataclass(slots=True)
class IgnoreFiles:
    """The patterns by the directory that they hold for; compiled when first asked for."""

    lines: dict[str, list[str]]
    extra: tuple[str, ...]
    _specs: "dict[str, GitIgnoreSpec]" = field(default_factory=dict)

    @classmethod
    def read(cls, root: bytes, files: Iterable[bytes], extra: tuple[str, ...]) -> Self:
        """Read every .gitignore among `files`; a link is not followed, as git does not follow it."""
        lines = {}
        for path in files:
            if path.endswith(NAME) and (path == NAME or path.endswith(b"/" + NAME)):
                directory = path[: -len(NAME)].rstrip(b"/").decode("utf-8", "surrogateescape")
                lines[directory] = _lines(root + b"/" + path)
        return cls(lines, extra)

    def ignores(self, path: bytes, *, is_directory: bool) -> bool:
        """Say whether git would ignore a new `path` whose directories are not ignored: the deepest file decides."""
        if not self.lines and not self.extra:
            return False
        name = path.decode("utf-8", "surrogateescape") + ("/" if is_directory else "")
        cut = name.rstrip("/").rfind("/")
        while True:
            directory = name[:cut] if cut >= 0 else ""
            if directory in self.lines and (verdict := self._ask(directory, name[cut + 1 :])) is not None:
                return verdict
            if cut < 0:
                break
            cut = name.rfind("/", 0, cut)
        return bool(self.extra) and self._spec(None).check_file(name).include is True

    def _ask(self, directory: str, name: str) -> bool | None:
        return self._spec(directory).check_file(name).include

    def _spec(self, directory: str | None) -> "GitIgnoreSpec":
        key = "/" if directory is None else directory
        if key not in self._specs:
            self._specs[key] = _compile(self.extra if directory is None else self.lines[directory])
        return self._specs[key]


def _lines(path: bytes) -> list[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(MAX_IGNORE_FILE).decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []


def _compile(lines: Iterable[str]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore import GitIgnorePatternError

    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except GitIgnorePatternError:
            continue  # git skips what it can't read, and so do we
        good.append(line)
    return GitIgnoreSpec.from_lines(good)
