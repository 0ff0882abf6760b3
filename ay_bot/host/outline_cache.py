"""The outline's cache that a workflow keeps between runs: where it is, what may be in it, and how large it gets.

Whoever can write the cache wrote it, for all that is known here: it is looked at before anything opens it. What holds
no numbers is removed without following links or opening files; `ay_bot.outline` judges the numbers. Only the standard
library: the Action's launcher looks at the place as well.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ay_bot.errors import UsageError
from ay_bot.outline.digest import VERSION

NAME: Final = "ay-bot-outline"
"""The default, in the runner's temporary directory."""
MOST_BYTES: Final = 512 * 1024 * 1024
_HINT: Final = f"give `cache-directory` a directory of its own, such as ${{{{ runner.temp }}}}/{NAME}"
_OURS: Final = re.compile(r"(?:outline|segments)-\d")
_REPOSITORY: Final = re.compile(r"[0-9a-f]{16}")
_TREE: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ARRAY: Final = re.compile(r"[a-z_]{1,40}|meta\.json")
_MOST: Final = {"meta.json": 1024, "entries": 64 * 1024 * 1024}
"""Bytes of what is read as text, and becomes more than it is."""


class Kept(NamedTuple):
    """A cache that outlives the run, and what the repository is called in it, wherever its clone lies."""

    directory: Path
    repository: str


class _Item(NamedTuple):
    """What is removed as one: a segment, or the files of the database."""

    changed: float
    paths: tuple[Path, ...]
    size: int


def choose_place(given: str, workspace: Path | None, temporary: Path | None, *taken: Path | None) -> Path | None:
    """Return the directory of the cache, None if there is nowhere to keep one. Raises UsageError for a wrong value.

    What is relative lies in the workspace; `taken` are more directories that hold other things.
    """
    if not given:
        return temporary / NAME if temporary else None
    if not workspace and not Path(given).is_absolute():
        raise _wrong(f"{given} is relative, and there is no workspace")
    path = Path(os.path.normpath(Path(workspace or "/", given)))
    others = [Path("/"), Path.home(), *(place for place in (workspace, temporary, *taken) if place)]
    if any(place == path or path in place.parents for place in others):
        raise _wrong(f"{path} holds other things")
    return path


def prepare_place(path: Path) -> Path:
    """Make the directory of a cache unless it is there, and return it. Raises UsageError for what can't be one."""
    if path.is_symlink():
        raise _wrong(f"{path} is a link")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise _wrong(f"{path} is no directory") from None
    except OSError as error:
        raise _wrong(f"{path} can't be made: {error.strerror}") from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise _wrong(f"{path} belongs to somebody else")
    return path


def _wrong(what: str) -> UsageError:
    return UsageError(f"the input `cache-directory`: {what}", hint=_HINT)


def sweep(directory: Path, most: int = MOST_BYTES) -> None:
    """Remove all that no run of ours leaves, and then the oldest until no more than `most` bytes are left.

    Only names that could be ours are looked at, should somebody keep other things beside the cache. No other process
    may use the cache meanwhile. Raises UsageError if something can't be removed.
    """
    try:
        _make_room(sorted(_segments_of(directory)), _database_of(directory), most)
    except OSError as error:
        raise _wrong(f"what lies in {directory} is no cache of ours, and can't be removed: {error.strerror}") from None


def _make_room(segments: Sequence[_Item], database: _Item, most: int) -> None:
    left = database.size + sum(segment.size for segment in segments)
    for item in (*segments[:-1], database, *segments[-1:]):  # the newest segment answers without the database
        if left <= most:
            return
        for path in item.paths:
            _remove(path)
        left -= item.size


def _database_of(directory: Path) -> _Item:
    files = [directory / f"outline-{VERSION}.sqlite{suffix}" for suffix in ("", "-wal")]
    for path in directory.glob("outline-*"):
        if _OURS.match(path.name) and (path not in files or not _is_file(path)):
            _remove(path)
    if not files[0].exists():
        for path in files[1:]:
            path.unlink(missing_ok=True)
    found = tuple(path for path in files if path.exists())
    return _Item(0.0, found, sum(path.lstat().st_size for path in found))


def _segments_of(directory: Path) -> Iterator[_Item]:
    for path in directory.glob("segments-*"):
        if path.name == f"segments-{VERSION}" and _is_directory(path):
            for repository in _checked(path, _REPOSITORY):
                for segment in _checked(repository, _TREE):
                    if item := _measure(segment):
                        yield item
        elif _OURS.match(path.name):
            _remove(path)


def _checked(directory: Path, names: re.Pattern[str]) -> Iterator[Path]:
    for path in list(directory.iterdir()):
        if names.fullmatch(path.name) and _is_directory(path):
            yield path
        else:
            _remove(path)


def _measure(segment: Path) -> _Item | None:
    """Return a segment as what can be removed; one that holds anything but arrays is removed at once."""
    files = list(segment.iterdir())
    sizes = {path.name: path.lstat().st_size for path in files}
    if all(_ARRAY.fullmatch(path.name) and _is_file(path) for path in files) and all(
        sizes.get(name, 0) <= most for name, most in _MOST.items()
    ):
        return _Item(segment.lstat().st_mtime, (segment,), sum(sizes.values()))
    _remove(segment)
    return None


def _is_directory(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _is_file(path: Path) -> bool:
    facts = path.lstat()
    return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1  # another name of it may lie anywhere


def _remove(path: Path) -> None:
    """Remove a file, or a directory with all that is in it; of a link only the link."""
    if _is_directory(path):
        shutil.rmtree(path)
    else:
        path.unlink()
