"""What a run works on: a pinned clone of the right commit, and the pull request's change as a diff."""

from dataclasses import dataclass
from pathlib import Path

from ay_bot.host.action.connection import Connection
from ay_bot.host.action.standpoint import Standpoint
from ay_bot.host.checkout import open_checkout
from ay_bot.host.github.destination import at_base, choose_destination
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.publication import Destination
from ay_bot.host.github.thread import Snapshot


@dataclass(frozen=True)
class Workspace:
    """A bare clone whose HEAD is what is worked on; `diff` is empty where no pull request is looked at."""

    repository: Path
    destination: Destination
    diff: str = ""


def open_workspace(connection: Connection, stand: Standpoint, scratch: Path, base: str = "") -> Workspace:
    """Fetch the commits that the run needs, and nothing else, into `scratch`.

    `base` is the commit that an earlier job made a change on. Raises HeadMoved if it can't go there any more.
    """
    forge, request, snapshot = connection.forge(), stand.request, stand.snapshot
    own = connection.publishing().own_login()
    destination = choose_destination(request, snapshot, stand.facts, own, stand.settings.outputs)
    if base:
        destination = at_base(destination, base)
    head = destination.base if request.writes_code else snapshot.head
    clone = scratch / "repository.git"
    remote = connection.remote(stand.facts.clone_url)
    repository = remote.clone_pinned(head, clone)
    older = find_merge_base(forge, snapshot) if request.verb in ("review", "explain") else ""
    if more := sorted({stand.trusted, older} - {"", head}):
        remote.fetch(clone, more)
    if not older or older == head:
        return Workspace(clone, destination)
    with open_checkout(repository, scratch) as checkout:
        diff = checkout.diff(older, head).decode("utf-8", "replace")
    return Workspace(clone, destination, diff)


def find_merge_base(forge: Forge, snapshot: Snapshot) -> str:
    """Return the commit that a pull request began at; its base branch may have gone on since."""
    if snapshot.thread == "issue":
        return ""
    commits = forge.commits(snapshot.base, snapshot.head)
    own = {commit.sha for commit in commits}
    begins = {parent for commit in commits for parent in commit.parents if parent not in own}
    return begins.pop() if len(begins) == 1 else snapshot.base
