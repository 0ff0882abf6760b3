"""Where the change of a request goes: a branch of our own, the pull request's branch, or a comment."""

from collections.abc import Collection

from ay_bot.errors import HeadMoved
from ay_bot.host.github.branch_name import branch_name
from ay_bot.host.github.follow_up import is_own_pull
from ay_bot.host.github.forge import RepositoryFacts
from ay_bot.host.github.publication import Attached, Destination, NewBranch, OntoPull
from ay_bot.host.github.request import Request
from ay_bot.host.github.thread import Snapshot
from ay_bot.protocol.outputs import OutputType


def choose_destination(
    request: Request, snapshot: Snapshot, facts: RepositoryFacts, own: str, outputs: Collection[OutputType]
) -> Destination:
    """Return where the change goes; the work starts from the destination's `base`.

    A fork gets the patch in a comment: its commits never come onto a branch of this repository, where they would run
    with this repository's rights as soon as they are there.
    """
    if request.thread == "issue":
        return _own_branch(request, snapshot.head, snapshot.base_branch, outputs)
    if snapshot.head_repository.lower() != facts.full_name.lower():
        return _attached(snapshot, "the pull request comes from a fork, and I may not push there")
    if request.verb == "retry" and is_own_pull(request, snapshot.head_branch, own):
        return _own_branch(request, snapshot.base, snapshot.base_branch, outputs)
    if snapshot.head_branch == facts.default_branch or "push_to_own_branch" not in outputs:
        return _own_branch(request, snapshot.head, snapshot.head_branch, outputs)
    return OntoPull(
        pull=request.number, branch=snapshot.head_branch, base=snapshot.head, base_branch=snapshot.base_branch
    )


def at_base(destination: Destination, base: str) -> Destination:
    """Return where a change goes that an earlier job made on `base`, while the destination was chosen just now.

    A branch of our own begins at that commit; that the base branch holds it is checked when it is published. A pull
    request that has moved on since takes nothing any more.
    """
    if isinstance(destination, OntoPull) and destination.base != base:
        now = destination.base[:12]
        msg = f"the change was made on {base[:12]}, and pull request #{destination.pull} is at {now} now"
        raise HeadMoved(msg, hint="look at what is new, then say `@ay retry`")
    return destination.model_copy(update={"base": base})


def _own_branch(request: Request, base: str, base_branch: str, outputs: Collection[OutputType]) -> Destination:
    if "create_pull_request" not in outputs:
        reason = "`create_pull_request` is not among the `outputs` in .github/ay-bot.yml"
        return Attached(base=base, base_branch=base_branch, reason=reason)
    return NewBranch(branch=branch_name(request), base=base, base_branch=base_branch)


def _attached(snapshot: Snapshot, reason: str) -> Attached:
    return Attached(base=snapshot.head, base_branch=snapshot.base_branch, reason=reason)
