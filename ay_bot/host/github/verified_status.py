"""The commit status `ay-bot/verified`: the last thing that is written of a publication, and so the sign of its end."""

import re
import time

from ay_bot.host.checks import CheckedPatch
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.github.authorship import read_trailers
from ay_bot.host.github.exactly_once import Pause, find_or_create
from ay_bot.host.github.forge import Commit, Forge
from ay_bot.host.plain_text import clean_line

CONTEXT = "ay-bot/verified"
LONGEST = 140
TRAILER = "Ay-Verified"
_PROOF = re.compile(r"([0-9a-f]{40,64}) (.+)")


def is_verified(forge: Forge, sha: str) -> bool:
    """Whether a commit has the status."""
    return any(check.name == CONTEXT and check.outcome == "success" for check in forge.checks(sha))


def set_verified(
    forge: Forge, sha: str, description: str, url: str, *, fresh: bool = False, pause: Pause = time.sleep
) -> bool:
    """Give a commit the status unless it has it; return whether it was given now. A `fresh` commit can't have it."""

    def find() -> bool | None:
        return is_verified(forge, sha) or None

    def create() -> bool:
        forge.set_status(sha, state="success", context=CONTEXT, description=description[:LONGEST], url=url)
        return True

    return find_or_create(find, create, look_first=not fresh, pause=pause)[1]


def describe(checked: CheckedPatch) -> str:
    """Return the verdict in one line."""
    return clean_line(checked.reason)[:LONGEST]


def attest(message: CommitMessage, checked: CheckedPatch) -> CommitMessage:
    """Return the message with the verdict and the tree that it is about, so that a later run can finish this one."""
    trailer = f"{TRAILER}: {checked.patch.tree} {describe(checked)}"
    return message.model_copy(update={"trailers": (*message.trailers, trailer)})


def attested(commit: Commit) -> str | None:
    """Return the verdict that a commit of ours holds, None if it holds none or one about another tree."""
    found = _PROOF.fullmatch(read_trailers(commit.message).get(TRAILER, ""))
    return found[2] if found and found[1] == commit.tree else None
