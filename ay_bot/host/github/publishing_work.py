"""What all ways of publishing share: the change with its texts, the commit, and the status at the end."""

import time
from dataclasses import dataclass

from ay_bot.errors import NotAllowed
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import CheckedPatch
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.config import Publishing
from ay_bot.host.github.authorship import author_for
from ay_bot.host.github.commit_choice import choose_commit
from ay_bot.host.github.committing import CommitPlan, Committer, Made
from ay_bot.host.github.exactly_once import Pause
from ay_bot.host.github.forge import Commit, Forge, Pull
from ay_bot.host.github.opening import Opening
from ay_bot.host.github.publication import Occasion, Published, Pusher
from ay_bot.host.github.pull_text import content_of
from ay_bot.host.github.verified_status import describe, set_verified
from ay_bot.host.pull_request import PullRequestText


@dataclass(frozen=True)
class Work:
    """One publication under way; `message` and `text` are complete.

    `looked` is whether it was just seen that there is no pull request for it, and room for one.
    """

    forge: Forge
    pusher: Pusher
    occasion: Occasion
    settings: Publishing
    checkout: Checkout
    checked: CheckedPatch
    message: CommitMessage
    text: PullRequestText
    looked: bool = False
    pause: Pause = time.sleep

    @property
    def opening(self) -> Opening:
        """Opens pull requests."""
        return Opening(self.forge, self.settings, self.pause)

    def content(self) -> str:
        """Return what tells this change from another."""
        return content_of(self.checkout, self.checked.patch)

    def is_in(self, commit: Commit, base: str) -> bool:
        """Whether a commit is this change on `base`."""
        return commit.tree == self.checked.patch.tree and commit.parents == (base,)

    def commit(self, branch: str, base: str, expected: str | None) -> Made:
        """Make the commit on a branch that points at `expected`."""
        patch = self.checked.patch
        plan = CommitPlan(
            branch=branch,
            base=base,
            expected=expected,
            tree=patch.tree,
            message=self.message.text,
            author=author_for(self.forge.own_login()),
            when=self.occasion.made,
            how=choose_commit(self.checkout, patch, self.settings.commits),
        )
        return Committer(self.forge, self.pusher, self.checkout, self.pause).commit(plan)

    def finish(self, sha: str, *, fresh: bool = False) -> tuple[str, ...]:
        """Set the status; return a note where that is not allowed. A `fresh` commit is known to have none."""
        description = describe(self.checked)
        try:
            set_verified(self.forge, sha, description, self.occasion.run_url, fresh=fresh, pause=self.pause)
        except NotAllowed as refusal:
            return (f"The status `ay-bot/verified` could not be set: {refusal.message}.",)
        return ()


def published(pull: Pull, sha: str, *, created: bool, notes: tuple[str, ...] = ()) -> Published:
    """Return that a commit is in a pull request."""
    return Published(
        pull=pull.number,
        url=pull.url,
        branch=pull.head_branch,
        commit=sha,
        created=created,
        draft=pull.draft,
        notes=notes,
    )
