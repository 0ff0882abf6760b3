"""A change as one more commit on the branch of a pull request, or stacked on it where that is not allowed."""

from ay_bot.errors import HeadMoved, NotAllowed
from ay_bot.host.github.branch_name import build_branch_name
from ay_bot.host.github.branch_state import made_for
from ay_bot.host.github.committing import Made
from ay_bot.host.github.exactly_once import Marker, comment_once
from ay_bot.host.github.forge import Commit
from ay_bot.host.github.new_pull import publish_new
from ay_bot.host.github.publication import NewBranch, NotPublished, OntoPull, Published
from ay_bot.host.github.publishing_work import Work, published
from ay_bot.host.github.verified_status import is_verified

PROOF = "proof"
"""The kind of the marker in the comment that tells of a commit on a pull request."""


def publish_onto(work: Work, target: OntoPull) -> Published | NotPublished:
    """Publish a change on the branch of a pull request."""
    pull = work.forge.pull(target.pull)
    if not pull.is_open:
        raise HeadMoved(f"pull request #{pull.number} was closed in the meantime", hint="reopen it and ask again")
    try:
        commit, notes, created = _commit(work, target)
    except NotAllowed as refusal:
        return _stack(work, target, refusal)
    if not created and is_verified(work.forge, commit.sha):
        return published(pull, commit.sha, created=False)
    if work.is_in(commit, target.base):
        notes = (*notes, *_tell(work, target, commit), *work.finish(commit.sha, fresh=created))
    return published(pull, commit.sha, created=created, notes=notes)


def _commit(work: Work, target: OntoPull) -> Made:
    head = work.forge.branch(target.branch)
    if head == target.base:
        return work.commit(target.branch, target.base, target.base)
    since = tuple(work.forge.commits(target.base, head)) if head else ()
    earlier = made_for(since, work.occasion.key, work.forge.own_login())
    if earlier is None:
        now = f"is at {head[:12]} now" if head else "is gone"
        msg = f"the branch {target.branch} was at {target.base[:12]} and {now}"
        raise HeadMoved(msg, hint="look at what is new, then say `@ay retry`")
    same = work.is_in(earlier, target.base)
    note = "" if same else f"An earlier run for this request has pushed {earlier.sha[:12]}; nothing was added to it."
    return Made(earlier, (note,) if note else (), fresh=False)


def _stack(work: Work, target: OntoPull, refusal: NotAllowed) -> Published | NotPublished:
    branch = build_branch_name(str(target.pull), work.occasion.task, work.occasion.key)
    note = (
        f"I may not push to {target.branch}, so this is a pull request against that branch; merging it adds the change "
        f"there. ({refusal.message})"
    )
    return publish_new(work, NewBranch(branch=branch, base=target.base, base_branch=target.branch), (note,))


def _tell(work: Work, target: OntoPull, commit: Commit) -> tuple[str, ...]:
    marker = Marker(kind=PROOF, key=work.occasion.key)
    body = f"Added {commit.sha} to this pull request.\n\n{work.text.body}"
    try:
        comment_once(work.forge, target.pull, marker, body, pause=work.pause)
    except NotAllowed as refusal:
        return (f"What was verified could not be put into a comment: {refusal.message}.",)
    return ()
