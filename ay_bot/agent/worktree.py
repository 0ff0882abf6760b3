"""A copy of the workspace for an agent that works beside another, and the merge of what it changed there."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from ay_bot.agent.tools.workbench import Refusal, Workbench
from ay_bot.agent.workspace import Manifest
from ay_bot.protocol.messages import ChangedFile

LARGEST: Final = 64 * 1024 * 1024  # bytes: each copy is made twice, in the box's scratch space
LEFT_OUT: Final = frozenset({".git"})


class TooLarge(Refusal):
    """The workspace is too large for a copy; the text is for the model."""


@dataclass(slots=True)
class Merged:
    """What was taken over, and what was not because the same file was changed on both sides."""

    taken: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


class Worktree:
    """The copy, and what it was when it was made."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self._manifest = manifest

    @classmethod
    def copy(cls, original: Path, root: Path, ignore: tuple[str, ...]) -> Self:
        """Copy the workspace, `ignore` being what is never part of a change. Raises TooLarge."""
        size = sum(_size(path) for path in original.rglob("*") if LEFT_OUT.isdisjoint(path.relative_to(original).parts))
        if size > LARGEST:
            msg = f"the workspace has {size >> 20} MiB, too much for a copy; use explore or review, or do it yourself"
            raise TooLarge(msg)
        for place in (root, cls._pristine(root)):
            shutil.copytree(original, place, symlinks=True, ignore=lambda _, names: LEFT_OUT.intersection(names))
        return cls(root, Manifest.take(root, ignore))

    @staticmethod
    def _pristine(root: Path) -> Path:
        return root.with_name(root.name + "-base")

    def remove(self) -> None:
        """Remove the copies."""
        for place in (self.root, self._pristine(self.root)):
            shutil.rmtree(place, ignore_errors=True)

    def merge_into(self, bench: Workbench) -> Merged:
        """Take over what was changed here; a file that both changed is merged by lines, or is a conflict."""
        changes = self._manifest.changes()
        merged = Merged()
        at = 0
        for file in changes.changed:
            content = changes.body[at : at + file.size]
            at += file.size
            self._take(file, content, bench, merged)
        for name in changes.deleted:
            self._delete(name, bench, merged)
        merged.conflicts += [f"{name} (can't be carried over)" for name in changes.unrepresentable]
        return merged

    def _take(self, file: ChangedFile, content: bytes, bench: Workbench, merged: Merged) -> None:
        try:
            target = bench.writable(file.path)
        except Refusal as refusal:
            merged.conflicts.append(f"{file.path} ({refusal})")
            return
        now, base = _read(bench.root / file.path), _read(self._pristine(self.root) / file.path)
        if now not in (base, content) and file.mode != "120000":
            together = _merge(base or b"", now or b"", content)
            if together is None:
                merged.conflicts.append(f"{file.path} (theirs: {self._keep_theirs(file.path, content, bench)})")
                return
            content = together
        _write(bench.root / file.path if file.mode == "120000" else target, file, content)
        bench.edited.add(target)
        merged.taken.append(file.path)

    def _delete(self, name: str, bench: Workbench, merged: Merged) -> None:
        target = bench.root / name
        if _read(target) != _read(self._pristine(self.root) / name):
            merged.conflicts.append(f"{name} (deleted there, changed here)")
            return
        with contextlib.suppress(OSError):
            target.unlink()
        merged.taken.append(name)

    def _keep_theirs(self, name: str, content: bytes, bench: Workbench) -> str:
        kept = bench.scratch / f"{self.root.name}-conflicts" / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(content)
        return str(kept)


def _write(target: Path, file: ChangedFile, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.mode == "120000":
        target.unlink(missing_ok=True)
        target.symlink_to(os.fsdecode(content))
        return
    target.write_bytes(content)
    target.chmod(0o755 if file.mode == "100755" else 0o644)


def _merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge by lines with git's own tool; None where both changed the same lines, or there is no git."""
    git = shutil.which("git", path=os.defpath)
    if not git:
        return None
    with tempfile.TemporaryDirectory() as directory:
        places = [Path(directory, name) for name in ("ours", "base", "theirs")]
        for place, content in zip(places, (ours, base, theirs), strict=True):
            place.write_bytes(content)
        done = subprocess.run(
            [git, "merge-file", "-p", "-q", *map(str, places)], capture_output=True, check=False, env={}, cwd=directory
        )
        return done.stdout if done.returncode == 0 else None


def _read(path: Path) -> bytes | None:
    try:
        return path.readlink().as_posix().encode() if path.is_symlink() else path.read_bytes()
    except OSError:
        return None


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
