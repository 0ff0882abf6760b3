"""How a commit is made: by GitHub itself, which signs it, where its API can say the change; else pushed with git."""

from dataclasses import dataclass
from typing import Literal

from ay_bot.host.changes import PatchEntry, VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.github.forge import NewFile

MOST_FILES = 200
MOST_BYTES = 6 * 1024 * 1024  # base64 makes a third more of it in one request
_PLAIN = "100644"


@dataclass(frozen=True)
class ApiCommit:
    """The change as createCommitOnBranch takes it."""

    additions: tuple[NewFile, ...]
    deletions: tuple[str, ...]


@dataclass(frozen=True)
class GitCommit:
    """The change has to be pushed; `reason` says why, empty where it was only asked for."""

    reason: str


def choose_commit(
    checkout: Checkout, patch: VerifiedPatch, preference: Literal["auto", "api", "git"]
) -> ApiCommit | GitCommit:
    """Return how the commit of a patch is made. No preference makes the API say what it can't."""
    if preference == "git":
        return GitCommit("")
    obstacle = find_obstacle(patch.entries)
    if obstacle:
        return GitCommit(obstacle)
    there = [entry.path for entry in patch.entries if entry.mode is not None]
    contents = checkout.read_files(patch.tree, [path.encode() for path in there])
    additions = tuple(NewFile(path=path, content=contents[path.encode()]) for path in there)
    return ApiCommit(additions, tuple(entry.path for entry in patch.entries if entry.mode is None))


def find_obstacle(entries: tuple[PatchEntry, ...]) -> str:
    """Return why GitHub's API can't make this change, nothing if it can."""
    for entry in entries:
        for mode in (entry.mode, entry.old_mode if entry.mode is not None else None):
            if mode not in (None, _PLAIN):
                kind = "a symbolic link" if mode == "120000" else "executable"
                return f"{entry.path} is, or was, {kind}"
    if len(entries) > MOST_FILES:
        return f"it changes more than {MOST_FILES} files"
    if sum(entry.size for entry in entries) > MOST_BYTES:
        return f"it holds more than {MOST_BYTES // 1024 // 1024} MiB"
    return ""
