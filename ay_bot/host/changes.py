"""From the agent's file records to a tree that may leave the box, or to the reason why it may not."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Literal, NamedTuple

from ay_bot.host.bare_repositories import find_bare_repositories
from ay_bot.host.checkout import Checkout
from ay_bot.host.objects import TreeEntry
from ay_bot.host.path_policy import PathPolicy, find_git_fault, find_link_fault, find_path_fault, is_utf8, protect
from ay_bot.host.tree_stream import TreeChange
from ay_bot.protocol.messages import ChangedFile, Finished

_SEAL = object()
_LINK = "120000"
_GITLINK = "160000"
_BARE = "a part of a bare git repository, and git runs what that configures"
_NO_FILE = "not a file that git can hold under a UTF-8 name"


class PatchEntry(NamedTuple):
    """One file of a change. A mode is None, and `size` 0, where the file is not there."""

    path: str
    status: Literal["A", "M", "D"]
    mode: str | None
    size: int
    old_mode: str | None = None


class GuardedPath(NamedTuple):
    """A path that a rule of the policy holds back or points out."""

    path: str
    rule: str


@dataclass(frozen=True)
class VerifiedPatch:
    """Evidence: this tree differs from `base` by exactly these entries, and each was judged. Made here only."""

    seal: InitVar[object]
    base: str
    tree: str
    entries: tuple[PatchEntry, ...]
    withheld: tuple[GuardedPath, ...]
    review: tuple[GuardedPath, ...]
    diff: bytes
    alarms: tuple[str, ...] = ()
    """What a person has to look at in the change as a whole, in sentences."""

    def __post_init__(self, seal: object) -> None:
        """Refuse to exist without this module's seal."""
        if seal is not _SEAL:
            msg = "a VerifiedPatch is made by ay_bot.host.changes alone"
            raise TypeError(msg)


@dataclass(frozen=True)
class Refused:
    """The change may not leave the box: which rule, and for which path ("" for the change as a whole)."""

    rule: str
    path: str = ""
    withheld: tuple[GuardedPath, ...] = ()

    def __str__(self) -> str:
        """Return one sentence for people and for the model."""
        return f"{self.path!r} {self.rule}" if self.path else self.rule


@dataclass(frozen=True)
class NoChange:
    """The tree is that of the base commit."""


class _Broken(Exception):
    """A record breaks a rule; the whole change is refused."""

    def __init__(self, rule: str, path: str = "") -> None:
        super().__init__(rule)
        self.refused = Refused(rule, path)


def propose(
    checkout: Checkout, base: str, finished: Finished, body: bytes, policy: PathPolicy
) -> VerifiedPatch | Refused | NoChange:
    """Judge every record before git sees it, build the tree, and read it again to see that it is what was judged."""
    files = checkout.list_files(base)
    try:
        changes = _judge(files, finished, body, policy)
        kept, guarded = _withhold(files, changes, policy)
        tree = checkout.write_tree(base, kept)
        entries = _read_again(checkout, base, tree, kept)
    except _Broken as broken:
        return broken.refused
    withheld = (*guarded, *(GuardedPath(name[:200], _NO_FILE) for name in finished.unrepresentable))
    if not entries and withheld:
        return Refused("nothing is left of the change without what may not leave the box", withheld=withheld)
    if not entries:
        return NoChange()
    reviewed = ((entry.path, protect(entry.path, policy)) for entry in entries)
    review = tuple(GuardedPath(path, guard.rule) for path, guard in reviewed if guard.tier == "review")
    alarms = tuple(_alarms(entries, len(files), policy))
    return VerifiedPatch(_SEAL, base, tree, entries, withheld, review, checkout.diff(base, tree), alarms)


def _alarms(entries: Sequence[PatchEntry], files: int, policy: PathPolicy) -> Iterator[str]:
    gone = sum(entry.status == "D" or (entry.status == "M" and not entry.size) for entry in entries)
    if gone >= policy.many and gone * 100 > files * policy.deletions:
        yield f"It deletes or empties {gone} of the repository's {files} files."


def _judge(
    files: Mapping[bytes, TreeEntry], finished: Finished, body: bytes, policy: PathPolicy
) -> tuple[TreeChange, ...]:
    _judge_amount(finished, body, policy)
    changes: list[TreeChange] = []
    at = 0
    for record in finished.changed:
        content = body[at : at + record.size]
        at += record.size
        _judge_file(record, content, files)
        changes.append(TreeChange(record.path.encode(), record.mode, content))
    changes.extend(TreeChange(_judge_deletion(path, files), None) for path in finished.deleted)
    _judge_together(files, changes)
    return tuple(changes)


def _judge_amount(finished: Finished, body: bytes, policy: PathPolicy) -> None:
    count = len(finished.changed) + len(finished.deleted)
    if count > policy.files:
        raise _Broken(f"the change touches {count} files; at most {policy.files} are allowed")
    if sum(record.size for record in finished.changed) != len(body):
        raise _Broken("the sizes of the files don't add up to what was sent")
    if len(body) > policy.total_size:
        raise _Broken(f"the change holds {len(body)} bytes; at most {policy.total_size} are allowed")
    for record in finished.changed:
        if record.size > policy.file_size:
            raise _Broken(f"has {record.size} bytes; at most {policy.file_size} are allowed", record.path)


def _judge_file(record: ChangedFile, content: bytes, files: Mapping[bytes, TreeEntry]) -> None:
    old = files.get(record.path.encode()) if is_utf8(record.path) else None
    # A file that has its name already may keep it, however unwise the name, unless it passes for .git.
    fault = find_path_fault(record.path) if old is None else find_git_fault(record.path)
    if fault:
        raise _Broken(fault, record.path)
    if old is not None and old.mode == _GITLINK:
        raise _Broken("is a submodule", record.path)
    if record.mode == _LINK and (fault := find_link_fault(record.path, content)):
        raise _Broken(fault, record.path)


def _judge_deletion(path: str, files: Mapping[bytes, TreeEntry]) -> bytes:
    if not is_utf8(path):
        raise _Broken("is not valid UTF-8", repr(path))
    name = path.encode()
    old = files.get(name)
    if old is None:
        raise _Broken("is to be deleted but is not in the base commit", path)
    if old.mode == _GITLINK:
        raise _Broken("is a submodule", path)
    return name


def _judge_together(files: Mapping[bytes, TreeEntry], changes: Sequence[TreeChange]) -> None:
    """Each path once; none that is a file here and a directory there; none that differs from another by case alone."""
    names = {change.path for change in changes}
    if len(names) != len(changes):
        raise _Broken("the change names a path twice")
    gone = {change.path for change in changes if change.mode is None}
    new = [change.path for change in changes if change.mode is not None and change.path not in files]
    if not new:
        return
    result = (files.keys() - gone) | set(new)
    directories = {directory for path in result for directory in _directories(path)}
    there_before = files.keys() | {directory for path in files for directory in _directories(path)}
    spellings = _index_spellings(result | directories)
    for path in new:
        if path in directories or not result.isdisjoint(_directories(path)):
            raise _Broken("would be both a file and a directory, or lie below a file", path.decode())
        for part in (path, *_directories(path)):
            if len(spellings[_fold(part)]) > 1 and part not in there_before:
                raise _Broken("differs from another path by letter case alone", path.decode())


def _directories(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:length]) for length in range(1, len(parts))]


def _index_spellings(paths: set[bytes]) -> Mapping[str, set[bytes]]:
    spellings: dict[str, set[bytes]] = {}
    for path in paths:
        spellings.setdefault(_fold(path), set()).add(path)
    return spellings


def _fold(path: bytes) -> str:
    return unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape").casefold())


def _withhold(
    files: Mapping[bytes, TreeEntry], changes: Sequence[TreeChange], policy: PathPolicy
) -> tuple[tuple[TreeChange, ...], tuple[GuardedPath, ...]]:
    written = {change.path for change in changes if change.mode is not None}
    bare = find_bare_repositories(files.keys() | written) if written else frozenset()
    kept, withheld = [], []
    for change in changes:
        path = change.path.decode()
        guard = protect(path, policy)
        if guard.tier == "never":
            withheld.append(GuardedPath(path, guard.rule))
        elif change.mode is not None and not bare.isdisjoint(_directories(change.path)):
            withheld.append(GuardedPath(path, _BARE))
        else:
            kept.append(change)
    return tuple(kept), tuple(withheld)


def _read_again(checkout: Checkout, base: str, tree: str, kept: Sequence[TreeChange]) -> tuple[PatchEntry, ...]:
    """Compare what git says the tree is with what was judged, by exact bytes."""
    judged = {change.path: change for change in kept}
    entries = []
    for difference in checkout.compare(base, tree):
        change = judged.get(difference.path)
        mode = None if difference.new_mode == "000000" else difference.new_mode
        if change is None or change.mode != mode:
            raise _Broken("came out of git otherwise than it was judged", repr(difference.path))
        old_mode = None if difference.old_mode == "000000" else difference.old_mode
        status: Literal["A", "M", "D"] = "D" if mode is None else "A" if old_mode is None else "M"
        entries.append(PatchEntry(difference.path.decode(), status, mode, len(change.content or b""), old_mode))
    _check_contents(checkout, tree, kept)
    return tuple(entries)


def _check_contents(checkout: Checkout, tree: str, kept: Sequence[TreeChange]) -> None:
    paths = [change.path for change in kept if change.mode is not None]
    stored = checkout.read_files(tree, paths)
    for change in kept:
        if stored.get(change.path) != change.content:
            raise _Broken("came out of git otherwise than it was judged", repr(change.path))
