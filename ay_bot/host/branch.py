"""The one place that writes to the user's repository: new objects, and one new branch that points at them."""

import re
from pathlib import Path

from ay_bot.errors import UsageError
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.repository import Repository

_NAME = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|\.$|/$|\.(?:/)))[^\W_][\w./+=@-]{0,199}", re.ASCII)
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{7,64}")


def check_branch_name(name: str) -> None:
    """Raise UsageError unless `name` is a plain branch name that no command can take for something else."""
    plain = _NAME.fullmatch(name) is not None and "@{" not in name
    if not plain or _OBJECT_ID.fullmatch(name) or name.upper() in {"HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD"}:
        msg = f"{name[:200]!r} can't be the name of a branch"
        raise UsageError(msg, hint="use letters, digits, and . / _ - +, for instance ay/fix-overdraft")


def check_new_branch(repository: Repository, name: str) -> None:
    """Raise UsageError unless a branch `name` can be made in `repository`."""
    check_branch_name(name)
    try:
        run_git(["rev-parse", "--verify", "--quiet", f"refs/heads/{name}"], git_dir=repository.git_dir)
    except GitFailed:
        return
    msg = f"{repository.path} has a branch {name} already"
    raise UsageError(msg, hint=f"choose another name for --branch, or remove that one: git branch -D {name}")


def write_branch(clone: Path, repository: Repository, name: str, commit: str) -> None:
    """Copy the objects of `commit` that the user's repository lacks, then make the branch."""
    check_new_branch(repository, name)
    wanted = f"{commit}\n^{repository.head}\n".encode()
    pack = run_git(["pack-objects", "--revs", "--stdout", "-q"], git_dir=clone, data=wanted)
    try:
        run_git(["unpack-objects", "-q", "--strict"], git_dir=repository.git_dir, data=pack)
        unborn = "0" * len(commit)
        run_git(["update-ref", f"refs/heads/{name}", commit, unborn], git_dir=repository.git_dir)
    except GitFailed as failure:
        msg = f"the branch {name} could not be written to {repository.path}: {failure.complaint}"
        hint = (
            "a branch can't stand below another one of the same name (a and a/b), and the repository must be writable"
        )
        raise UsageError(msg, hint=hint) from None
