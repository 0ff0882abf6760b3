"""Reading trees and blobs out of a git object store, by plumbing that runs nothing and writes nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ay_bot.host.git import GitFailed, run_git


class TreeEntry(NamedTuple):
    """A file of a tree: its mode as git writes it, six digits, and the id of its blob (of a commit, for 160000)."""

    mode: str
    object_id: str


def read_tree(git_dir: Path, tree: str) -> dict[bytes, TreeEntry]:
    """Return all files of a tree or of a commit's tree, by their path."""
    listing = run_git(["ls-tree", "-r", "-z", "--full-tree", tree], git_dir=git_dir)
    files = {}
    for line in listing.split(b"\0")[:-1]:
        head, path = line.split(b"\t", 1)
        mode, _, object_id = head.decode("ascii").split(" ")
        files[path] = TreeEntry(mode, object_id)
    return files


def read_blobs(git_dir: Path, names: Sequence[bytes]) -> list[bytes | None]:
    """Return the contents of the blobs that `names` name (ids, or commit:path), None for what is no blob here."""
    if not names:
        return []
    written = run_git(["cat-file", "--batch"], git_dir=git_dir, data=b"".join(name + b"\n" for name in names))
    blobs: list[bytes | None] = []
    at = 0
    while at < len(written):
        end = written.index(b"\n", at)
        fields = written[at:end].split(b" ")
        at = end + 1
        if fields[-1] in (b"missing", b"ambiguous"):
            blobs.append(None)
            continue
        size = int(fields[-1])
        blobs.append(written[at : at + size] if fields[-2] == b"blob" else None)
        at += size + 1
    if len(blobs) != len(names):
        raise GitFailed("cat-file", f"asked for {len(names)} objects, it answered with {len(blobs)}")
    return blobs


class ObjectReader:
    """Reads the files of trees and commits of one object store; each listing is read once."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        self._files: dict[str, dict[bytes, TreeEntry]] = {}

    def list_files(self, tree: str) -> Mapping[bytes, TreeEntry]:
        """Return every file of a tree (or of a commit's tree) by path, gitlinks included."""
        if tree not in self._files:
            self._files[tree] = read_tree(self.git_dir, tree)
        return self._files[tree]

    def read_file(self, revision: str, path: str | bytes) -> bytes | None:
        """Return what a file holds in a commit or tree, None where there is no such file."""
        name = path.encode() if isinstance(path, str) else path
        entry = self.list_files(revision).get(name)
        if entry is None or entry.mode == "160000":
            return None
        return read_blobs(self.git_dir, [entry.object_id.encode()])[0]

    def read_files(self, revision: str, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what several files hold; those that are not there are left out."""
        files = self.list_files(revision)
        there = [path for path in paths if path in files]
        blobs = read_blobs(self.git_dir, [files[path].object_id.encode() for path in there])
        return {path: blob for path, blob in zip(there, blobs, strict=True) if blob is not None}
