"""The pipeline's last step on GitHub: publish the proven change, unless somebody said stop in the meantime."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ay_bot.errors import HeadMoved, Interrupted, NotAllowed
from ay_bot.host.action.bundling import BundlePublisher
from ay_bot.host.action.connection import Connection
from ay_bot.host.action.standpoint import Standpoint
from ay_bot.host.github.publication import Attached, Destination, NotPublished, OntoPull, occasion_of
from ay_bot.host.github.publish import GithubPublisher, describe_refusal
from ay_bot.host.github.snapshot import check_unmoved
from ay_bot.host.github.stop import was_stopped
from ay_bot.host.publisher import DryRun, Proposal, Publication, Publisher
from ay_bot.host.repository import Repository


def choose_publisher(
    connection: Connection, stand: Standpoint, destination: Destination, known_stops: frozenset[int]
) -> Publisher:
    """Return where the change of a request goes: nowhere, into a bundle, or onto GitHub."""
    request, context = stand.request, connection.context
    if not connection.may_write:
        return BundlePublisher(str(context.run_id), request, destination.base, destination.base_branch)
    if not request.writes_code:
        return DryRun()
    settings = stand.settings.publishing
    publisher = GithubPublisher(
        connection.publishing(),
        connection.remote(stand.facts.clone_url),
        occasion_of(request, run_url=context.run_url, close_issue=settings.close_issue),
        destination,
        settings,
        starts_ci=connection.starts_ci,
        looked=True,
        secrets=connection.secrets,
    )

    def check_head() -> None:
        # Onto a pull request it is looked at in the same step; a branch that leaves its commits behind needs no look.
        if not isinstance(destination, OntoPull) and destination.base == stand.snapshot.head:
            check_unmoved(connection.forge(), stand.snapshot)

    def is_stopped() -> bool:
        return was_stopped(connection.forge(), request.number, request.key, known_stops)

    return ForgePublisher(publisher, is_stopped, check_head)


@dataclass(frozen=True)
class ForgePublisher:
    """Publishes on GitHub. `is_stopped` is asked right before, and `check_head` raises where a thread has moved on."""

    publisher: GithubPublisher
    is_stopped: Callable[[], bool]
    check_head: Callable[[], None]

    def prepare(self, repository: Repository) -> None:
        """Refuse a clone that is not at the commit where the change goes."""
        self.publisher.prepare(repository)

    def publish(self, proposal: Proposal) -> Publication:
        """Publish. Raises GithubFailed where it could not be, and Interrupted after a stop."""
        if self.is_stopped():
            raise Interrupted("the request was stopped; nothing was published", hint="ask again if it was a mistake")
        publisher = self._where_it_still_can()
        if not isinstance(self.publisher.destination, Attached):
            return publisher.publish(proposal)
        # Where no pull request can be, the patch in a comment is all that was asked for, and no failure.
        outcome = publisher.publish_change(proposal.checkout, proposal.checked, proposal.message, proposal.summary)
        if isinstance(outcome, NotPublished) and outcome.comment:
            note = f"There is no pull request: {outcome.reason}. The patch is in a comment."
            return Publication(proposal.pull_request, url=outcome.comment, notes=(note, *outcome.notes))
        if isinstance(outcome, NotPublished):
            raise NotAllowed(describe_refusal(outcome), hint=outcome.hint)
        return Publication(proposal.pull_request, outcome.branch, outcome.commit, outcome.url, outcome.notes)

    def _where_it_still_can(self) -> GithubPublisher:
        """Return who publishes: what was made for a head that has moved goes into a comment alone."""
        there = self.publisher.destination
        try:
            self.check_head()
        except HeadMoved as moved:
            before = f"{there.reason}; " if isinstance(there, Attached) else ""
            attached = Attached(base=there.base, base_branch=there.base_branch, reason=f"{before}{moved.message}")
            return replace(self.publisher, destination=attached)
        return self.publisher
