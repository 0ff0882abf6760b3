"""One chore, from looking whether there is anything to do to its pull requests; its failures are its own."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from ay_bot.errors import AyBotError, ExitCode, NotAllowed
from ay_bot.host.action.bundling import given_by
from ay_bot.host.action.keeping import kept_outline
from ay_bot.host.config import Chore, Overrides
from ay_bot.host.findings import Order
from ay_bot.host.github.opening import list_own_open
from ay_bot.host.github.publication import NewBranch, NotPublished, Occasion, Published
from ay_bot.host.github.publish import GithubPublisher, describe_refusal
from ay_bot.host.local_run import run_locally
from ay_bot.host.maintenance.branches import is_branch_of
from ay_bot.host.maintenance.chores import policy_of
from ay_bot.host.maintenance.ends import Piece, conclude, join_pieces
from ay_bot.host.maintenance.ground import SHORTEST, Ground
from ay_bot.host.maintenance.handover import Handover
from ay_bot.host.maintenance.record import ChoreEnd, ChoreRecord
from ay_bot.host.maintenance.standing import judge_before
from ay_bot.host.maintenance.targets import Assignment, find_work
from ay_bot.host.outputs.leaks import redactor_of
from ay_bot.host.publisher import Proposal, Publication, Publisher
from ay_bot.host.report import PullRequest, Result
from ay_bot.host.repository import Repository

_LEAST: Final = 0.001
"""Dollars below which nothing is begun."""


class Stopped(Exception):
    """Somebody ended the run; no other chore is begun."""


class LeftOut(Exception):
    """The job with the model left nothing of this; it stays due."""


@dataclass
class ChoreRun:
    """A chore, with what is remembered of it. `asked` is whether a person wants it now."""

    ground: Ground
    handover: Handover
    chore: Chore
    record: ChoreRecord | None
    asked: bool = False
    _spent: float = 0.0
    _worked: int = 0

    def carry_out(self) -> ChoreEnd:
        """Do it and return what came of it, in words that may be shown. Raises LeftOut and Stopped."""
        end = self._carry_out()
        reason, hint = redactor_of(self.ground.connection.secrets).redact_all((end.reason, end.hint))
        return end.model_copy(update={"reason": reason, "hint": hint})

    def _carry_out(self) -> ChoreEnd:
        pieces: list[Piece] = []
        try:
            for found in find_work(self.ground, self.chore):
                if isinstance(found, ChoreEnd):
                    return found
                pieces.append((found.about, self._do(found)))
        except AyBotError as error:
            failed = ChoreEnd(outcome="failed", reason=error.message, hint=error.hint, exit_code=error.exit_code)
            pieces.append(("", failed))
        if self.record and all(end.same for _, end in pieces):
            record = self.record
            return ChoreEnd(outcome=record.outcome, reason=record.reason, same=True, keys=record.keys)
        return join_pieces(pieces)

    def _do(self, piece: Assignment) -> ChoreEnd:
        target, ground = piece.target, self.ground
        forge = ground.connection.publishing()
        end = judge_before(forge, target, ground.settings.publishing, asked=self.asked)
        known = not self.asked and self.record is not None and target.key in self.record.keys
        if end:
            return end.model_copy(update={"same": known and end.outcome == "up_to_date"})
        if known:
            return ChoreEnd(
                outcome="nothing", reason="nothing has changed since the last try", same=True, keys=(target.key,)
            )
        if waiting := self._must_wait(piece):
            return ChoreEnd(outcome="blocked", reason=waiting)
        self._worked += 1
        return self._work(piece)

    def _must_wait(self, piece: Assignment) -> str:
        """Return what keeps a piece of work from being begun in this run."""
        most = self.chore.max_pull_requests
        branches = {pull.head_branch for pull in list_own_open(self.ground.connection.publishing())}
        opened = [branch for branch in branches if is_branch_of(branch, self.chore.name)]
        if piece.target.branch not in branches and len(opened) >= most:
            return f"{len(opened)} pull requests of the chore are open, and at most {most} may be"
        used_up = self._worked >= most or self._max_cost() < _LEAST or self.ground.seconds_left < SHORTEST
        return "left for the next run" if used_up else ""

    def _work(self, piece: Assignment) -> ChoreEnd:
        handover, target = self.handover, piece.target
        match self.ground.connection.context.inputs.mode:
            case "run":
                publisher = ChorePublisher(self._publisher(piece))
                result = self._run(self._order(piece, publisher))
                return conclude(result, publisher.outcome, target.key)
            case "work":
                keeper = handover.publisher(target)
                result = self._run(self._order(piece, keeper))
                handover.write(target, keeper, result)
                return conclude(result, None, target.key)
            case "publish":
                bundle = handover.read(target)
                if bundle is None:
                    raise LeftOut
                publisher = ChorePublisher(self._publisher(piece))
                order = replace(self._order(piece, publisher), given=given_by(bundle))
                result = self._run(order) if bundle.result.status == "verified" else bundle.result
                end = conclude(result, publisher.outcome, target.key)
                return end.model_copy(update={"cost": bundle.result.usage.cost_usd})

    def _order(self, piece: Assignment, publisher: Publisher) -> Order:
        ground, target = self.ground, piece.target
        return Order(
            repository=target.clone.path,
            task=piece.task(),
            overrides=self._overrides(),
            api_base=ground.connection.context.inputs.api_base,
            publisher=publisher,
            out=ground.out / target.branch.replace("/", "-") if ground.out else None,
            trusted=ground.trusted,
            policy=policy_of(self.chore),
            secrets=ground.connection.secrets,
            kept=kept_outline(ground.connection.context),
        )

    def _run(self, order: Order) -> Result:
        result, _ = run_locally(order, self.ground.listener, None)
        self._spent += result.usage.cost_usd or 0.0
        if result.exit_code == ExitCode.INTERRUPTED:
            raise Stopped
        return result

    def _publisher(self, piece: Assignment) -> GithubPublisher:
        ground, target = self.ground, piece.target
        occasion = Occasion(
            key=target.key,
            task=f"the chore {self.chore.name}",
            made=ground.now,
            requester=ground.requester,
            run_url=ground.run_url,
        )
        destination = NewBranch(
            branch=target.branch, base=target.base, base_branch=target.base_branch, in_place=True
        )  # fmt: skip
        return GithubPublisher(
            ground.connection.publishing(),
            ground.connection.remote(ground.facts.clone_url),
            occasion,
            destination,
            ground.settings.publishing,
            starts_ci=ground.connection.starts_ci,
            secrets=ground.connection.secrets,
        )

    def _overrides(self) -> Overrides:
        most = self._max_cost()
        update = {"max_cost": 0.0 if most == inf else most, "timeout": max(self.ground.seconds_left, SHORTEST)}
        return self.ground.connection.context.inputs.overrides().model_copy(update=update)

    def _max_cost(self) -> float:
        given = self.ground.connection.context.inputs.max_cost
        return find_cap(given, self.chore.max_cost, self.ground.settings.max_cost) - self._spent


def find_cap(given: float | None, own: float | None, default: float) -> float:
    """Return what a chore may cost: the lower of the workflow's cap and its own, else the repository's.

    0 is no cap wherever it stands, and infinity here.
    """
    said = [amount or inf for amount in (given, own) if amount is not None]
    return min(said) if said else default or inf


@dataclass
class ChorePublisher:
    """Publishes on GitHub and keeps what came of it."""

    publisher: GithubPublisher
    outcome: Published | NotPublished | None = field(default=None)

    def prepare(self, repository: Repository) -> None:
        """Refuse a clone that is not at the commit where the change goes."""
        self.publisher.prepare(repository)

    def publish(self, proposal: Proposal) -> Publication:
        """Publish. Raises NotAllowed where that could not be."""
        outcome = self.publisher.publish_change(proposal.checkout, proposal.checked, proposal.message, proposal.summary)
        self.outcome = outcome
        if isinstance(outcome, NotPublished):
            raise NotAllowed(describe_refusal(outcome), hint=outcome.hint)
        text = PullRequest(
            title=outcome.title or proposal.pull_request.title,
            body=outcome.body or proposal.pull_request.body,
            draft=outcome.draft,
        )
        return Publication(text, outcome.branch, outcome.commit, outcome.url, outcome.notes)
