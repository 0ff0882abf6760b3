"""Directories of a tree that git would take for bare repositories: whoever enters one runs what it configures."""

from collections.abc import Collection, Iterator

_NEEDED = (b"objects", b"refs")
_BORROWS_THEM = b"commondir"


def find_bare_repositories(paths: Collection[bytes]) -> frozenset[bytes]:
    """Return the directories below the root in which git would begin to work; letter case doesn't matter."""
    heads = {directory for directory, name in _split(paths) if name == b"head" and directory}
    if not heads:
        return frozenset()
    held: dict[bytes, set[bytes]] = {directory.lower(): set() for directory in heads}
    for path in paths:
        for directory, name in _steps(path.lower()):
            if directory in held:
                held[directory].add(name)
    return frozenset(directory for directory in heads if _is_repository(held[directory.lower()]))


def _split(paths: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for path in paths:
        directory, _, name = path.rpartition(b"/")
        yield directory, name.lower()


def _steps(path: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each directory above a path, and what the path goes on with there."""
    parts = path.split(b"/")
    for length in range(1, len(parts)):
        yield b"/".join(parts[:length]), parts[length]


def _is_repository(names: Collection[bytes]) -> bool:
    return all(name in names for name in _NEEDED) or _BORROWS_THEM in names
