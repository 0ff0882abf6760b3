"""The agent's attempt at a task: it works, its tree is judged and tested, and failures go back to it."""

from dataclasses import dataclass

from ay_bot.errors import ModelFailed, UsageError
from ay_bot.host.baseline import Baseline
from ay_bot.host.changes import NoChange, Refused, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import CheckedPatch, TestsFailed, verify
from ay_bot.host.findings import Findings, Given
from ay_bot.host.report import Withheld
from ay_bot.host.session import Session
from ay_bot.host.suite import SuiteResult, TestRunner
from ay_bot.protocol.events import PathRefused
from ay_bot.protocol.messages import FailureCause, Feedback, Finished, Work
from ay_bot.protocol.outputs import answer_of

MODEL_HINTS: dict[FailureCause, str] = {
    "authentication": "put a valid key into the environment, or mend `--api-base`",
    "payment": "fill up the account, or take another model (`--model`)",
    "permission": "ask whoever owns the account for access, or take another model (`--model`)",
    "not_found": "mend `--model` or `--api-base`",
    "invalid_request": "take a model that knows native tool calls (`--model`)",
    "context_window": "lower `max_context_tokens:`, or take a model that reads more (`--model`)",
    "refused": "say it in other words, or let another model answer (`on_refusal: next` in a pack of `models:`)",
    "unreachable": "start the server, or mend `--api-base`",
    "malformed": "look at what answers at `--api-base`: it should speak the provider's protocol",
}
"""What a person can do about a model that failed."""

Judged = CheckedPatch | TestsFailed | Refused | NoChange


@dataclass(frozen=True)
class Attempt:
    """What an attempt needs: where the change is judged, and against what."""

    checkout: Checkout
    base: str
    runner: TestRunner
    baseline: Baseline
    findings: Findings

    def carry_out(self, session: Session, work: Work, repair_rounds: int) -> tuple[Finished, Judged]:
        """Let the agent work, at most `repair_rounds` times more than once; return its end and the last judgement."""
        with self.findings.log.phase("session"):
            finished, body = session.work(work)
        for rounds_left in range(repair_rounds, -1, -1):
            self.findings.rounds += 1
            self.findings.usage = session.usage
            self.findings.summary, self.findings.outputs = finished.summary, finished.outputs
            self.findings.objections = finished.review
            require_model(finished)
            if answer_of(finished.outputs):  # what it left half done is nobody's proposal
                return finished, NoChange()
            judged = self._judge(finished, body, self.baseline.wait())
            feedback = _feedback_of(judged)
            if not feedback or not rounds_left or finished.reason != "finished":
                return finished, judged
            with self.findings.log.phase("session", "repair: the failures go back to the agent"):
                finished, body = session.resume(Feedback(text=feedback, max_steps=work.max_steps))
        raise AssertionError  # the last round always returns

    def judge_given(self, given: Given) -> Judged:
        """Judge work that was done elsewhere as if it came out of a box here."""
        self.findings.rounds = 1
        self.findings.summary, self.findings.outputs = given.finished.summary, given.finished.outputs
        self.findings.objections = given.finished.review
        return self._judge(given.finished, given.body, self.baseline.wait())

    def _judge(self, finished: Finished, body: bytes, baseline: SuiteResult) -> Judged:
        findings = self.findings
        with findings.log.phase("changes", f"{len(finished.changed)} files changed, {len(finished.deleted)} deleted"):
            patch = propose(self.checkout, self.base, finished, body, findings.policy)
        findings.tree, findings.diff = "", b""  # those of an earlier round are past
        findings.withheld = findings.review = ()
        if isinstance(patch, NoChange):
            return patch
        findings.withheld = tuple(Withheld(path=path.path, rule=path.rule) for path in patch.withheld)
        for path in findings.withheld:
            findings.log.emit(PathRefused(path=path.path, rule=path.rule))
        if isinstance(patch, Refused):
            return patch
        findings.tree, findings.diff = patch.tree, patch.diff
        findings.review = tuple(path.path for path in patch.review)
        with findings.log.phase("checks"):
            return verify(self.runner, self.checkout, patch, baseline, wordless=findings.policy.hides)


def take_answer(session: Session, work: Work, findings: Findings) -> Finished:
    """Let the agent read and answer; nothing leaves its box but words."""
    with findings.log.phase("session"):
        finished, _ = session.work(work)
    findings.rounds, findings.usage = 1, session.usage
    findings.summary, findings.outputs = finished.summary, finished.outputs
    require_model(finished)
    return finished


def _feedback_of(judged: Judged) -> str:
    match judged:
        case TestsFailed():
            return judged.feedback
        case Refused():
            return (
                f"Your change was refused: {judged}. Change only what the task needs, without that, and finish again."
            )
        case NoChange() | CheckedPatch():
            return ""


def require_model(finished: Finished) -> None:
    """Raise ModelFailed or UsageError if it was the model that ended the work."""
    failure = finished.failure
    if not failure or failure.cause == "budget":
        return  # what was done until the money ran out is still judged
    if failure.cause == "configuration":
        raise UsageError(failure.message, hint="see `--model` and `--api-base`; keys come from the environment")
    what = f"the model failed ({failure.cause.replace('_', ' ')}): {failure.message}"
    raise ModelFailed(what, hint=MODEL_HINTS.get(failure.cause, "try again later, or take another model (`--model`)"))
