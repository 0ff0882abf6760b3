"""A commit's files as a directory would show them: links are followed, as long as they stay inside."""

import posixpath
from typing import Final

from ay_bot.host.objects import ObjectReader

MOST_LINKS: Final = 16
LINK: Final = "120000"


class CommitTree:
    """Reads files of one commit by path; implements `ay_bot.host.instructions.Tree`."""

    def __init__(self, objects: ObjectReader, revision: str) -> None:
        self._objects = objects
        self._revision = revision
        self._files = objects.list_files(revision)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file whose name is UTF-8."""
        return tuple(path.decode() for path in self._files if _is_text(path))

    def identity(self, path: str) -> str:
        """Return what names the exact content and kind of a path; empty where there is none."""
        entry = self._files.get(path.encode())
        return f"{entry.mode} {entry.object_id}" if entry else ""

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a regular file, None where there is none."""
        entry = self._files.get(self.real(path).encode())
        if entry is None or not entry.mode.startswith("100"):
            return None
        content = self._objects.read_file(self._revision, self.real(path))
        return None if content is None else content[:most]

    def has(self, path: str) -> bool:
        """Say whether there is a file of this name; a commit's top is where its `.git` would be."""
        return path == ".git" or path.encode() in self._files

    def real(self, path: str) -> str:
        """Return where the links in a path lead; a path that leaves the tree, or goes in circles, is nowhere."""
        wanted = [part for part in path.split("/") if part not in ("", ".")]
        way: list[str] = []
        links = 0
        while wanted:
            way.append(wanted.pop(0))
            name = "/".join(way).encode()
            entry = self._files.get(name)
            if entry is None or entry.mode != LINK:
                continue
            links += 1
            target = (self._objects.read_file(self._revision, name) or b"").decode("utf-8", "replace")
            landed = posixpath.normpath(posixpath.join("/".join(way[:-1]), target))
            if links > MOST_LINKS or landed.startswith(("/", "..")):
                return "\0"
            wanted, way = [*(part for part in landed.split("/") if part != "."), *wanted], []
        return "/".join(way)


def _is_text(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True
