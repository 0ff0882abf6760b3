"""Where this ay-bot came from, as a workflow names it: `owner/repository@commit`, if its installation tells."""

import json
import re
from pathlib import Path
from typing import Final

ACTION: Final = re.compile(r"(?:\.|[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})(?:/[\w.-]+)*/?(?:@[0-9a-f]{40})?")
_PLACE: Final = re.compile(r"(?:https?://[^/@]+|ssh://git@[^/]+|git@[^:/]+)[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def is_pinned(action: str) -> bool:
    """Whether a workflow may use this: a directory of its own repository, or a repository at a full commit."""
    return bool(ACTION.fullmatch(action)) and (action.startswith("./") != ("@" in action)) and ".." not in action


def find_own_source() -> str:
    """Return `owner/repository@commit` of an installation that pip made from a git repository, else nothing."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        record = distribution("ay-bot").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    return read_direct_url(record or "")


def read_direct_url(record: str) -> str:
    """Return what pip's record of an installation says, as a workflow would write it."""
    try:
        told = json.loads(record)
        place, commit = told["url"], told["vcs_info"]["commit_id"]
    except (ValueError, KeyError, TypeError):
        return ""
    found = _PLACE.fullmatch(place) if isinstance(place, str) else None
    action = f"{found[1]}@{commit}" if found else ""
    return action if is_pinned(action) else ""


def is_action(directory: Path) -> bool:
    """Whether a directory holds the Action itself, as ay-bot's own repository does."""
    return all((directory / name).is_file() for name in ("action.yml", "ay_bot/host/gate_step.py"))
