"""Publishing a proven change on GitHub: branch, commit, pull request, what belongs to it, and last the status.

Each step finds what an earlier, killed run has left, so that the whole can be run again from anywhere.
"""

import time
from dataclasses import dataclass, field

from ay_bot.errors import GithubFailed, HeadMoved, NotAllowed
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import CheckedPatch
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.config import Publishing
from ay_bot.host.github.attached_patch import attach_patch
from ay_bot.host.github.authorship import sign
from ay_bot.host.github.exactly_once import Pause
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.leaking import find_leak
from ay_bot.host.github.new_pull import publish_new
from ay_bot.host.github.onto_pull import publish_onto
from ay_bot.host.github.publication import (
    Attached,
    Destination,
    NewBranch,
    NotPublished,
    Occasion,
    OntoPull,
    Published,
    Pusher,
)
from ay_bot.host.github.publishing_work import Work
from ay_bot.host.github.pull_text import write_text
from ay_bot.host.github.verified_status import attest
from ay_bot.host.publisher import Proposal, Publication
from ay_bot.host.report import PullRequest
from ay_bot.host.repository import Repository


@dataclass(frozen=True)
class GithubPublisher:
    """Publishes one change for one occasion.

    `starts_ci` is whether GitHub starts workflows for our token, `looked` whether `find_earlier` has found nothing
    in this same run, which saves asking again. What holds one of `secrets` in any form is not published at all.
    """

    forge: Forge
    pusher: Pusher
    occasion: Occasion
    destination: Destination
    settings: Publishing
    starts_ci: bool = True
    looked: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)
    pause: Pause = time.sleep

    def prepare(self, repository: Repository) -> None:
        """Refuse a clone that is not at the commit where the change goes."""
        _require_same(repository.head, self.destination.base)

    def publish(self, proposal: Proposal) -> Publication:
        """Publish; raises NotAllowed where that could not be, with the reason and what to do."""
        outcome = self.publish_change(proposal.checkout, proposal.checked, proposal.message, proposal.summary)
        if isinstance(outcome, NotPublished):
            raise NotAllowed(describe_refusal(outcome), hint=outcome.hint)
        title, body = outcome.title or proposal.pull_request.title, outcome.body or proposal.pull_request.body
        return Publication(
            PullRequest(title=title, body=body, draft=outcome.draft),
            branch=outcome.branch,
            commit=outcome.commit,
            url=outcome.url,
            notes=outcome.notes,
        )

    def publish_change(
        self, checkout: Checkout, checked: CheckedPatch, message: CommitMessage, summary: str
    ) -> Published | NotPublished:
        """Publish, or find that it was published already, or attach the patch and say why."""
        _require_same(checked.patch.base, self.destination.base)
        if place := find_leak(checkout, checked.patch, (message.text, summary), self.secrets):
            return NotPublished(
                reason=f"{place} holds a secret of this run, or a part of one",
                hint="look at the run's log before anything else, and replace the secret",
                url=self.occasion.run_url,
            )
        text = write_text(self.occasion, checkout, checked, message, summary, ci=self.starts_ci)
        work = Work(
            self.forge,
            self.pusher,
            self.occasion,
            self.settings,
            checkout,
            checked,
            attest(sign(message, self.occasion), checked),
            text,
            self.looked,
            self.pause,
        )
        outcome = self._carry_out(work)
        if isinstance(outcome, Published) or outcome.branch or outcome.url:
            return outcome
        return attach_patch(self.forge, self.occasion, checked, text, outcome, pause=self.pause)

    def _carry_out(self, work: Work) -> Published | NotPublished:
        try:
            match self.destination:
                case Attached(reason=reason):
                    return NotPublished(reason=reason)
                case NewBranch() as target:
                    return publish_new(work, target)
                case OntoPull() as target:
                    return publish_onto(work, target)
        except (HeadMoved, NotAllowed) as refusal:
            return NotPublished(reason=refusal.message, hint=refusal.hint)


def describe_refusal(outcome: NotPublished) -> str:
    """Return why there is no pull request, and where the change is, in one message."""
    where = outcome.url or outcome.comment
    return " ".join(
        (f"{outcome.reason[:1].upper()}{outcome.reason[1:]}{f': {where}' if where else '.'}", *outcome.notes)
    )


def _require_same(made_on: str, base: str) -> None:
    if made_on != base:
        msg = f"the change was made on {made_on[:12]}, but it goes onto {base[:12]}"
        raise GithubFailed(msg, hint="this is a bug in ay-bot; please report it")
