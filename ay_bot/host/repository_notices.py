"""What a person should know of a commit before a box gets it: what of it is not really there, or not as it looks."""

from pathlib import Path

from ay_bot.host.git import run_git
from ay_bot.host.objects import read_blobs, read_tree

_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
_MOST_ATTRIBUTE_FILES = 200


def list_notices(git_dir: Path, commit: str, *, shallow: bool, partial: bool) -> tuple[str, ...]:
    """Return one sentence for each thing that makes the box's workspace differ from what the user may expect."""
    files = read_tree(git_dir, commit)
    found = []
    if count := sum(entry.mode == "160000" for entry in files.values()):
        found.append(f"{_count(count, 'submodule')} left empty: only the repository itself goes into the box.")
    if count := _count_pointers(git_dir, commit, [path for path in files if path.split(b"/")[-1] == b".gitattributes"]):
        found.append(f"{_count(count, 'file')} kept in Git LFS: the box gets the pointers, not the contents.")
    if count := sum(not _is_utf8(path) for path in files):
        found.append(f"{_count(count, 'file name')} not in UTF-8: the agent can read such files but not change them.")
    if shallow:
        found.append("The clone is shallow; a run needs only its newest commit.")
    if partial:
        found.append("The clone is partial; objects that are not here yet are not fetched.")
    return tuple(found)


def _count(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True


def _count_pointers(git_dir: Path, commit: str, attribute_files: list[bytes]) -> int:
    names = [f"{commit}:".encode() + path for path in attribute_files[:_MOST_ATTRIBUTE_FILES] if b"\n" not in path]
    if not any(b"filter=lfs" in blob for blob in read_blobs(git_dir, names) if blob is not None):
        return 0
    listing = run_git(["ls-tree", "-r", "-l", "-z", "--full-tree", commit], git_dir=git_dir).split(b"\0")
    small = [
        entry.split()[2] for entry in listing if entry and (size := entry.split()[3]).isdigit() and int(size) < 1024
    ]
    return sum(blob is not None and blob.startswith(_LFS_POINTER) for blob in read_blobs(git_dir, small))
