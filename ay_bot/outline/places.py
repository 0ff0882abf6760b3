"""Which files of a tree a task names: by path, by the end of one, by a module, or by the directory before a colon."""

import re
from typing import Final

from ay_bot.outline.languages import language_of

_MOST: Final = 3
_TEST: Final = re.compile(
    r"(?:^|/)(?:tests?|testing|testdata|spec|specs|__tests__|fixtures|e2e)(?:/|$)|(?:^|/)test_|[._-](?:test|spec)s?\.|_test\."
)
_FOREIGN: Final = re.compile(
    r"(?:^|/)(?:vendor|third[_-]?party|node_modules|bower_components|external|_?generated|dist|site-packages)/"
)
_PARTNER: Final = re.compile(r"^test_|[._-](?:test|spec)s?(?=\.)|(?<=[a-z])Tests?(?=\.)")
_SUFFIXES: Final = (".py", ".ts", ".tsx", ".js", ".go", ".c", ".h", ".rs", ".java", ".rb", "/__init__.py", "/index.ts")


class Places:
    """The paths of a tree, to be found by their ends."""

    def __init__(self, paths: list[str], alive: list[bool]) -> None:
        self._by_name: dict[str, list[int]] = {}
        self._paths = paths
        for number, path in enumerate(paths):
            if alive[number]:
                self._by_name.setdefault(path.rpartition("/")[2], []).append(number)

    def find(self, named: str) -> list[int]:
        """Return the files that something that looks like a path names, if they are few."""
        found = self._ending(named)
        shorter = named
        while not found and shorter.count("/") > 1:  # a frame tells where the file stood on another machine
            shorter = shorter.partition("/")[2]
            found = self._ending(shorter)
        if not found and "." not in named.rpartition("/")[2]:
            for stem in (named, named.rpartition("/")[0]):
                found = (
                    [number for suffix in _SUFFIXES for number in self._ending(stem + suffix)] if "/" in stem else []
                )
                if found:
                    break
        return found if len(found) <= _MOST else []

    def partners(self, test: str) -> list[int]:
        """Return the files that a test seems to be for, by its own name, if they are few."""
        name = test.rpartition("/")[2]
        bare = _PARTNER.sub("", name)
        numbers = self._by_name.get(bare, ()) if bare != name else ()
        found = [number for number in numbers if not is_test(self._paths[number])]
        return found if len(found) <= _MOST else []

    def _ending(self, named: str) -> list[int]:
        numbers = self._by_name.get(named.rpartition("/")[2], ())
        return [
            number for number in numbers if self._paths[number] == named or self._paths[number].endswith(f"/{named}")
        ]


def is_test(path: str) -> bool:
    """Whether a path is that of a test, by its names."""
    return bool(_TEST.search(path.lower()))


def is_foreign(path: str) -> bool:
    """Whether a file seems to come from elsewhere, or from a program."""
    return bool(_FOREIGN.search(path.lower()))


def is_code(path: str) -> bool:
    """Whether a path is that of a program's source."""
    return bool(language_of(path)) and not path.endswith((".min.js", ".pb.go", "_pb2.py", ".d.ts"))


def is_header(path: str) -> bool:
    """Whether a file declares what others define."""
    return path.lower().endswith((".h", ".hpp", ".d.ts", ".pyi"))
