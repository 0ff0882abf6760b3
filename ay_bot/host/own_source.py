"""Where this ay-bot came from, as a workflow names it: `owner/repository@commit`, if its installation tells."""

import json
import re
from pathlib import Path
from typing import Final

from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.image import PACKAGE

UNKNOWN: Final = f"OWNER/ay-bot@{'0' * 40}"
"""What stands where nothing is told; no workflow runs with it, and people are told to replace it."""

ACTION: Final = re.compile(r"(?:\.|[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})(?:/[\w.-]+)*/?(?:@[0-9a-f]{40})?")
_PLACE: Final = re.compile(r"(?:https?://[^/@]+|ssh://git@[^/]+|git@[^:/]+)[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def is_pinned(action: str) -> bool:
    """Whether a workflow may use this: a directory of its own repository, or a repository at a full commit."""
    return bool(ACTION.fullmatch(action)) and (action.startswith("./") != ("@" in action)) and ".." not in action


def find_own_source() -> str:
    """Return `owner/repository@commit` of an installation from git, by pip or as a clone, else nothing."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        record = distribution("ay-bot").read_text("direct_url.json")
    except PackageNotFoundError:
        record = ""
    return read_direct_url(record or "") or read_clone(PACKAGE.parent)


def read_direct_url(record: str) -> str:
    """Return what pip's record of an installation says, as a workflow would write it."""
    try:
        told = json.loads(record)
        place, commit = told["url"], told["vcs_info"]["commit_id"]
    except (ValueError, KeyError, TypeError):
        return ""
    return _as_action(place, commit) if isinstance(place, str) else ""


def read_clone(directory: Path) -> str:
    """Return what the clone that is installed as it stands says of where it is from."""
    git_dir = directory / ".git"
    if not git_dir.is_dir():
        return ""
    try:
        place = run_git(["remote", "get-url", "origin"], git_dir=git_dir).decode("utf-8", "replace").strip()
        commit = run_git(["rev-parse", "--verify", "HEAD"], git_dir=git_dir).decode().strip()
    except GitFailed:
        return ""
    return _as_action(place, commit)


def _as_action(place: str, commit: object) -> str:
    found = _PLACE.fullmatch(place)
    action = f"{found[1]}@{commit}" if found else ""
    return action if is_pinned(action) else ""


def is_action(directory: Path) -> bool:
    """Whether a directory holds the Action itself, as ay-bot's own repository does."""
    return all((directory / name).is_file() for name in ("action.yml", "ay_bot/host/gate_step.py"))
