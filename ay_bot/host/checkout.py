"""A temporary bare clone that borrows the user's objects: trees are read, made and compared here, never in place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ay_bot.errors import UsageError
from ay_bot.host.branch import write_branch
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.objects import ObjectReader
from ay_bot.host.repository import Repository
from ay_bot.host.tree_stream import TreeChange, build_stream

_RAW = "* -export-ignore -export-subst -text -eol -crlf -filter -ident -working-tree-encoding\n"
_SCRATCH_REF = "refs/ay-bot/tree"
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/")


class Author(NamedTuple):
    """Who a commit says made it."""

    name: str = "ay-bot"
    email: str = "ay-bot@users.noreply.github.com"


class TreeDifference(NamedTuple):
    """One line of a comparison of two trees, by exact bytes. Mode 000000 means that the file is not there."""

    old_mode: str
    new_mode: str
    old_id: str
    new_id: str
    status: str
    path: bytes


class Checkout(ObjectReader):
    """The clone. Trees and commits are named by their ids; nothing here has a work tree, hooks or filters."""

    def __init__(self, repository: Repository, git_dir: Path) -> None:
        super().__init__(git_dir)
        self.repository = repository

    def tree_of(self, revision: str) -> str:
        """Return the id of the tree of a commit or tree."""
        return self._run("rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}").decode().strip()

    def archive(self, tree: str, destination: Path) -> int:
        """Write a tar of the tree, every blob's exact bytes, submodules as empty directories; return its size."""
        with destination.open("wb") as file:
            try:
                run_git(
                    ["-c", "tar.umask=0022", "archive", "--format=tar", self.tree_of(tree)],
                    git_dir=self.git_dir,
                    output=file,
                )
            except GitFailed as failure:
                raise self._incomplete(failure) from None
            return file.tell() or destination.stat().st_size

    def write_tree(self, base: str, changes: Sequence[TreeChange]) -> str:
        """Make the tree that differs from `base` by `changes`; return its id."""
        if not changes:
            return self.tree_of(base)
        stream = build_stream(_SCRATCH_REF, self.tree_of(base), changes)
        # unpackLimit=0 keeps the objects in a pack of the clone's own: unpacking would touch the times
        # of objects that the user's repository has already.
        settings = ("-c", "fastimport.unpackLimit=0", "-c", "core.fsync=none")
        run_git([*settings, "fast-import", "--quiet", "--force", "--done"], git_dir=self.git_dir, data=stream)
        return self.tree_of(_SCRATCH_REF)

    def compare(self, base: str, tree: str) -> tuple[TreeDifference, ...]:
        """Return every file that differs, under its true path: no renames, no patch text."""
        raw = self._run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", "--abbrev=64", base, tree)
        fields = raw.split(b"\0")[:-1]
        differences = []
        for entry, path in zip(fields[::2], fields[1::2], strict=True):
            old_mode, new_mode, old_id, new_id, status = entry.decode("ascii").removeprefix(":").split(" ")
            differences.append(TreeDifference(old_mode, new_mode, old_id, new_id, status, path))
        return tuple(differences)

    def diff(self, base: str, tree: str, paths: Sequence[bytes] = ()) -> bytes:
        """Return a unified diff for people; binary files are named only."""
        limits = ["--", *(":(top,literal)" + path.decode("utf-8", "surrogateescape") for path in paths)]
        return self._run("diff-tree", "-r", "-p", *_PLAIN, base, tree, *(limits if paths else []))

    def commit(self, tree: str, parent: str, message: str, author: Author, when: datetime) -> str:
        """Make a commit object; no ref points at it yet."""
        date = f"{int(when.timestamp())} +0000"
        identity = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", date))
        }
        arguments = ["-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, "-p", parent]
        return run_git(arguments, git_dir=self.git_dir, data=message.encode(), environment=identity).decode().strip()

    def write_branch(self, repository: Repository, branch: str, commit: str) -> None:
        """Give the user's repository the commit under a new branch name; nothing else of it changes."""
        write_branch(self.git_dir, repository, branch, commit)

    def _run(self, *arguments: str) -> bytes:
        try:
            return run_git(list(arguments), git_dir=self.git_dir)
        except GitFailed as failure:
            raise self._incomplete(failure) from None

    def _incomplete(self, failure: GitFailed) -> Exception:
        if not any(word in failure.complaint for word in ("missing", "unable to read", "cannot read", "not found")):
            return failure
        msg = f"{self.repository.path} lacks objects of its own commit: {failure.complaint}"
        hint = "a damaged repository: git fsck. A partial clone: git fetch --refetch --no-filter"
        return UsageError(msg, hint=hint)


@contextmanager
def open_checkout(repository: Repository, directory: Path) -> Iterator[Checkout]:
    """Make the clone in `directory`, which the caller removes. Nothing of the user's configuration is taken over."""
    git_dir = directory / "clone.git"
    # core.sharedRepository and templates come from configuration, which run_git leaves out.
    run_git(["init", "--bare", "--quiet", "--template=", f"--object-format={repository.object_format}", str(git_dir)])
    info = git_dir / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(_RAW)
    borrowed = git_dir / "objects" / "info" / "alternates"
    borrowed.parent.mkdir(exist_ok=True)
    borrowed.write_bytes(_quote_alternate(repository.objects) + b"\n")
    if repository.shallow:
        (git_dir / "shallow").write_bytes((repository.common_dir / "shallow").read_bytes())
    yield Checkout(repository, git_dir)


def _quote_alternate(objects: Path) -> bytes:
    raw = bytes(objects)
    if not (raw.startswith(b'"') or b"\n" in raw or b"#" in raw):
        return raw
    return b'"' + b"".join(b"\\%03o" % byte if byte in b'"\\\n' else bytes([byte]) for byte in raw) + b'"'
