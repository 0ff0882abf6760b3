"""A change on a branch of our own, and its pull request."""

from ay_bot.errors import GithubFailed, HeadMoved, NotAllowed
from ay_bot.host.config import Publishing
from ay_bot.host.github.api_failures import Missing
from ay_bot.host.github.branch_state import Absent, AtBase, BranchState, Edited, Ours, look_at_branch
from ay_bot.host.github.committing import Made
from ay_bot.host.github.exactly_once import is_own
from ay_bot.host.github.forge import Forge, Pull
from ay_bot.host.github.opening import find_pull, list_own_open
from ay_bot.host.github.publication import NewBranch, NotPublished, Published
from ay_bot.host.github.publishing_work import Work, published
from ay_bot.host.github.pull_text import content_in
from ay_bot.host.github.verified_status import is_verified


def publish_new(work: Work, target: NewBranch, notes: tuple[str, ...] = ()) -> Published | NotPublished:
    """Publish a change in a pull request of its own."""
    forge = work.forge
    state = look_at_branch(forge, target.branch, target.base)
    untouched = work.looked and isinstance(state, Absent)
    pull = None if untouched else find_pull(forge, target.branch)
    if pull and (refusal := refuse_for(forge, pull, work.content() if target.in_place else None)):
        return refusal
    if pull and pull.is_open and target.in_place and content_in(pull.body) == work.content():
        return published(pull, pull.head, created=False)
    pull = pull if pull and pull.is_open else None
    if isinstance(state, Edited):
        return refuse_edited(target.branch, state)
    require_base(forge, target)
    if pull is None and not untouched and (refusal := refuse_over_cap(forge, work.settings)):
        return refusal
    made = _commit(work, target, state)
    return _open(work, target, pull, made, (*notes, *made.notes))


def refuse_for(forge: Forge, pull: Pull, content: str | None) -> NotPublished | None:
    """Return why the pull request that a branch has, or had, is in the way; nothing if it isn't.

    A pull request that a person closed is a no. With `content` it is one to that content only.
    """
    if not is_own(pull.author.login, forge.own_login()):
        return NotPublished(
            reason=f"the branch {pull.head_branch} has pull request #{pull.number} of {pull.author.login}",
            hint="close that, and remove the branch, if it is not needed",
            url=pull.url,
        )
    if pull.is_open or (content is not None and content_in(pull.body) != content):
        return None
    how = "merged" if pull.merged else "closed, which I take as a no"
    return NotPublished(
        reason=f"pull request #{pull.number} for the same request was {how}",
        hint="" if pull.merged else "reopen it, or ask again with `@ay retry`",
        url=pull.url,
    )


def refuse_edited(branch: str, state: Edited) -> NotPublished:
    """Return the refusal to touch a branch that somebody else works on."""
    return NotPublished(
        reason=f"{', '.join(state.by)} pushed to {branch}, and I don't touch the work of others",
        hint="`@ay rebase` lets me go on from what is on the branch now; `@ay retry` starts anew on another branch",
    )


def refuse_over_cap(forge: Forge, settings: Publishing) -> NotPublished | None:
    """Return the refusal to have more open pull requests than the settings allow."""
    opened = len(list_own_open(forge))
    most = settings.max_open_pull_requests
    if opened < most:
        return None
    return NotPublished(
        reason=f"{opened} pull requests of mine are open already, and at most {most} may be",
        hint="merge or close some of them, or raise `publishing.max_open_pull_requests` in .github/ay-bot.yml",
    )


def require_base(forge: Forge, target: NewBranch) -> None:
    """Raise HeadMoved unless the branch that the pull request goes to still holds the commit that it is based on.

    That branch may have moved on: the pull request shows the change since that commit all the same.
    """
    head = forge.branch(target.base_branch)
    if head is None:
        raise HeadMoved(f"the branch {target.base_branch} is gone", hint="ask again: `@ay retry`")
    if head != target.base and _adds_anything(forge, head, target.base):
        msg = f"the branch {target.base_branch} was rewritten and no longer holds {target.base[:12]}"
        raise HeadMoved(msg, hint="ask again: `@ay retry`")


def _adds_anything(forge: Forge, head: str, base: str) -> bool:
    try:
        return bool(forge.commits(head, base))
    except Missing:  # they have no common history
        return True


def _commit(work: Work, target: NewBranch, state: BranchState) -> Made:
    match state:
        case Ours(commits=(commit,)) if work.is_in(commit, target.base):
            return Made(commit, fresh=False)
        case Ours():
            expected: str | None = state.head.sha
        case AtBase(head=head):
            expected = head
        case _:
            expected = None
    return work.commit(target.branch, target.base, expected)


def _open(
    work: Work, target: NewBranch, pull: Pull | None, made: Made, notes: tuple[str, ...]
) -> Published | NotPublished:
    sha, fresh = made.commit.sha, made.fresh
    if pull and not fresh and is_verified(work.forge, sha):
        return published(pull, sha, created=False)
    created = False
    if not pull:
        try:
            pull, created, more = work.opening.open(work.text, target.branch, target.base_branch)
        except NotAllowed as refusal:
            return _without_pull(work, target, refusal, (*notes, *work.finish(sha, fresh=fresh)))
        notes = (*notes, *more)
    if not created:
        work.opening.refresh(pull, work.text)
    notes = (*notes, *work.opening.dress(pull), *work.finish(sha, fresh=fresh))
    done = published(pull, sha, created=created, notes=notes)
    return done.model_copy(update={"title": work.text.title, "body": work.text.body})


def _without_pull(work: Work, target: NewBranch, refusal: GithubFailed, notes: tuple[str, ...]) -> NotPublished:
    return NotPublished(
        reason=f"the change is on the branch {target.branch}, but the pull request could not be opened: "
        f"{refusal.message}",
        hint="open it by hand at the address given. To let ay-bot do it, allow GitHub Actions to create pull requests "
        "(Settings, Actions, General) and give the job `pull-requests: write`",
        branch=target.branch,
        url=f"{work.forge.facts().html_url}/compare/{target.base_branch}...{target.branch}?expand=1",
        notes=notes,
    )
