"""A commit of a git repository as the outline reads it: from objects alone, never from a work tree."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ay_bot.errors import UsageError
from ay_bot.host.git import GitFailed, run_git, stream_git
from ay_bot.outline.tree_source import Commit, Entry

MOST_COMMITS: Final = 6_000
_REGULAR: Final = ("100644", "100755")
_FACTS: Final = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
_BLOBS_AT_ONCE: Final = 4_000
_LONGEST_PIECE: Final = 1024 * 1024
_HINT: Final = (
    "give a commit, a branch or a tag with --rev; where there is none yet: git add -A && git commit -m 'Start'"
)
_CHANGES: Final = (
    "diff-tree", "--stdin", "--root", "-r", "--name-only", "--no-renames", "--no-ext-diff", "-z",
    "--pretty=tformat:%x01%H%x01%B%x01",
)  # fmt: skip


class GitSource:
    """One commit of a repository; the files of its tree, or of another one in its place, and the commits before it."""

    def __init__(self, git_dir: Path, revision: str = "HEAD", tree: str = "") -> None:
        self.git_dir = git_dir
        name = f"{revision}^{{commit}}"
        if revision.startswith("-") or not _can_be_told(revision):
            raise UsageError(f"`{printable(revision[:200])}` is no revision", hint=_HINT)
        try:
            facts = run_git(["rev-parse", "--verify", "--end-of-options", name], git_dir=git_dir)
            self.commit = facts.decode().split()[-1]
            name = f"{tree or self.commit}^{{tree}}"
            found = run_git(["rev-parse", "--verify", "--end-of-options", name], git_dir=git_dir)
        except GitFailed:
            raise UsageError(f"the repository has no commit `{printable(revision[:200])}`", hint=_HINT) from None
        self._tree = found.decode().split()[-1]

    @property
    def tree(self) -> str:
        """The id of the tree."""
        return self._tree

    def entries(self) -> list[Entry]:
        """Return the regular files of the tree."""
        listing = run_git(["ls-tree", "-r", "-z", "--full-tree", self._tree], git_dir=self.git_dir)
        lines = listing.decode("utf-8", "surrogateescape").split("\0")[:-1]
        return [Entry(line.split("\t", 1)[1], line[12:].split("\t", 1)[0]) for line in lines if line[:6] in _REGULAR]

    def blobs(self, blobs: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in the order asked for; None for what is missing or larger than `largest`."""
        for at in range(0, len(blobs), _BLOBS_AT_ONCE):
            yield from self._some_blobs(blobs[at : at + _BLOBS_AT_ONCE], largest)

    def _some_blobs(self, blobs: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | None]]:
        known = self._sizes(blobs)
        wanted = [blob for blob in blobs if known.get(blob, largest + 1) <= largest]
        yield from ((blob, None) for blob in blobs if known.get(blob, largest + 1) > largest)
        with stream_git(["cat-file", "--batch", "--buffer"], self.git_dir) as process:
            assert process.stdin, process.stdout  # noqa: S101
            _write_beside(process.stdin, wanted)
            for blob in wanted:
                yield blob, _read_object(process.stdout, known[blob])  # type: ignore[arg-type]

    def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        data = "".join(f"{blob}\n" for blob in blobs).encode()
        answer = run_git(["cat-file", _FACTS], git_dir=self.git_dir, data=data)
        fields = (line.split() for line in answer.decode("ascii", "replace").splitlines())
        return {field[0]: int(field[2]) for field in fields if len(field) == 3 and field[1] == "blob"}

    def past(self) -> Sequence[str]:
        """Return the ids of the commits up to this one, the newest first; merges are left out."""
        listing = run_git(["rev-list", f"--max-count={MOST_COMMITS}", "--no-merges", self.commit], git_dir=self.git_dir)
        return listing.decode().split()

    def commits(self, commits: Iterable[str]) -> Iterator[Commit]:
        """Yield what these commits say and touched."""
        wanted = list(commits)
        if not wanted:
            return
        with stream_git(_CHANGES, self.git_dir) as process:
            assert process.stdin, process.stdout  # noqa: S101
            _write_beside(process.stdin, wanted)
            yield from _read_commits(process.stdout)  # type: ignore[arg-type]


def _can_be_told(revision: str) -> bool:
    """Whether a program can be given this as an argument."""
    try:
        return b"\0" not in revision.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def printable(text: str) -> str:
    """Return a text with the replacement sign for all that could do something to a terminal."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _write_beside(stream: IO[bytes], lines: Sequence[str]) -> None:
    def write() -> None:
        with suppress(OSError, ValueError):
            stream.write("".join(f"{line}\n" for line in lines).encode())
            stream.close()

    threading.Thread(target=write, daemon=True).start()


def _read_object(stream: IO[bytes], size: int) -> bytes | None:
    head = stream.readline(200).split()
    if len(head) != 3 or int(head[2]) != size:
        raise GitFailed("cat-file", "it answered with another object than the one asked for")
    content = stream.read(size)
    if len(content) != size or stream.read(1) != b"\n":
        raise GitFailed("cat-file", "its answer ended too soon")
    return content


def _read_commits(stream: IO[bytes]) -> Iterator[Commit]:
    rest = b""
    while piece := stream.read(_LONGEST_PIECE):
        *records, rest = _split(rest + piece)
        yield from map(_parse_commit, records)
    if rest:
        yield _parse_commit(rest)


def _split(data: bytes) -> list[bytes]:
    # A record: \1 id \1 message \1 \0 path \0 path \0. No path begins with \1 and an id after a NUL, as good as ever.
    records = data.split(b"\0\x01")
    return [records[0].removeprefix(b"\x01"), *records[1:]]


def _parse_commit(record: bytes) -> Commit:
    commit, _, rest = record.partition(b"\x01")
    message, _, paths = rest.rpartition(b"\x01")
    names = paths.decode("utf-8", "surrogateescape").strip("\0\n").split("\0")
    return Commit(commit.decode("ascii", "replace"), message.decode("utf-8", "replace"), tuple(n for n in names if n))
