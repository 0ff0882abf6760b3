"""A repository's own instructions for agents: which AGENTS.md files count, in which order, and where they are cut.

The rules are those of Codex 0.169: from the project's root down to the working directory, one file in each directory.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

OVERRIDE: Final = "AGENTS.override.md"
USUAL: Final = "AGENTS.md"
MOST_BYTES: Final = 32 * 1024
ROOT_MARKERS: Final = (".git",)
BETWEEN: Final = "\n\n"
AFTER_STANDING: Final = "\n\n--- project-doc ---\n\n"
MOST_LISTED: Final = 20


class Tree(Protocol):
    """Files by path from the top, with `/`; links are followed as far as they stay inside."""

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a regular file, None where there is none."""
        ...

    def has(self, path: str) -> bool:
        """Say whether there is anything of this name."""
        ...

    def real(self, directory: str) -> str:
        """Return where a directory really is."""
        ...


@dataclass(frozen=True)
class Instructions:
    """The text, where it comes from, and whether something of it was left out for its length."""

    text: str = ""
    sources: tuple[str, ...] = ()
    cut: bool = False


def find_instructions(
    tree: Tree,
    directory: str = "",
    *,
    fallbacks: Sequence[str] = (),
    most_bytes: int = MOST_BYTES,
    markers: Sequence[str] = ROOT_MARKERS,
    standing: str = "",
) -> Instructions:
    """Return the instructions for work in `directory`.

    `fallbacks` are other names of such a file, in order; `standing` is what holds in every repository, and isn't cut.
    """
    parts: list[str] = []
    sources: list[str] = []
    left, cut = most_bytes, False
    for folder in _folders(tree, tree.real(directory), markers):
        path = _choose(tree, folder, (OVERRIDE, USUAL, *fallbacks))
        content = tree.read(path, left + 1) if path else None
        if content is None or not content.strip():
            continue
        cut = cut or len(content) > left
        if left <= 0:
            break
        parts.append(content[:left].decode("utf-8", "replace"))
        sources.append(path)
        left -= min(len(content), left)
    text = AFTER_STANDING.join(part for part in (standing, BETWEEN.join(parts)) if part.strip())
    return Instructions(text, tuple(sources), cut)


def list_deeper(paths: Sequence[str], sources: Sequence[str]) -> tuple[str, ...]:
    """Return the instruction files that hold for a part of the repository only, to be read where the work is there."""
    names = (path for path in paths if path.rpartition("/")[2] in (OVERRIDE, USUAL) and path not in sources)
    return tuple(sorted(names))[:MOST_LISTED]


def _folders(tree: Tree, directory: str, markers: Sequence[str]) -> Iterator[str]:
    """Yield the directories from the project's root down to `directory`; it alone where nothing marks a root."""
    parts = [part for part in directory.split("/") if part]
    ways = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
    for depth, way in enumerate(ways):
        if any(tree.has(posixpath.join(way, marker)) for marker in markers):
            yield from reversed(ways[: depth + 1])
            return
    yield directory


def _choose(tree: Tree, folder: str, names: Sequence[str]) -> str:
    paths = (posixpath.join(folder, name) for name in names)
    return next((path for path in paths if tree.read(path, 1) is not None), "")
