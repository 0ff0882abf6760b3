"""Where a proven change goes: nowhere, to a local branch, or to a forge. None of them takes anything unproven."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from ay_bot.host.branch import check_new_branch
from ay_bot.host.checkout import Author, Checkout
from ay_bot.host.checks import CheckedPatch
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.report import PullRequest
from ay_bot.host.repository import Repository


@dataclass(frozen=True)
class Proposal:
    """What is to be published: a proven change, the message of its commit, and the model's words about it."""

    checkout: Checkout
    checked: CheckedPatch
    message: CommitMessage
    summary: str
    pull_request: PullRequest
    """As it would be opened; a publisher that knows more about the request may say more."""


@dataclass(frozen=True)
class Publication:
    """What was published. All but the pull request's text is empty for a dry run."""

    pull_request: PullRequest
    branch: str = ""
    commit: str = ""
    url: str = ""
    notes: tuple[str, ...] = ()


class Publisher(Protocol):
    """Publishes at most once; what it can't do it says with an AyBotError, and the change is kept in the result."""

    def prepare(self, repository: Repository) -> None:
        """Refuse before any work is done what can't be published later. Raises UsageError."""
        ...

    def publish(self, proposal: Proposal) -> Publication:
        """Publish the change."""
        ...


class DryRun:
    """Publishes nothing: what would be published is the result."""

    def prepare(self, repository: Repository) -> None:
        """Find nothing to refuse."""

    def publish(self, proposal: Proposal) -> Publication:
        """Return the text alone."""
        return Publication(proposal.pull_request)


@dataclass(frozen=True)
class LocalBranch:
    """Makes one commit on one new branch of the user's repository."""

    name: str

    def prepare(self, repository: Repository) -> None:
        """Refuse a name that is taken or that no branch can have."""
        check_new_branch(repository, self.name)

    def publish(self, proposal: Proposal) -> Publication:
        """Write the commit and the branch."""
        checkout, patch = proposal.checkout, proposal.checked.patch
        commit = checkout.commit(patch.tree, patch.base, proposal.message.text, Author(), datetime.now(UTC))
        checkout.write_branch(checkout.repository, self.name, commit)
        return Publication(proposal.pull_request, branch=self.name, commit=commit)
