"""How a run ends: a proven change becomes a commit and the text of a pull request, everything else a reason."""


from ay_bot.errors import BudgetSpent, ExitCode
from ay_bot.host.attempt import Attempt, Judged
from ay_bot.host.changes import NoChange, Refused
from ay_bot.host.checks import CheckedPatch, TestsFailed
from ay_bot.host.findings import Outcome
from ay_bot.host.repository import Repository
from ay_bot.host.session import Session
from ay_bot.protocol.messages import EndReason, Finished

CUT_OFF: dict[EndReason, str] = {
    "steps": "the agent used all its steps (`--max-steps`)",
    "budget": "the budget of the model is spent (`--max-cost`, `--max-tokens`)",
    "stuck": "the agent went round in circles and was stopped",
    "context": "the conversation outgrew the model's context",
}
"""Why an agent that did not finish by itself ended."""


def conclude(attempt: Attempt, session: Session, repository: Repository, finished: Finished, judged: Judged) -> Outcome:
    """Return the run's outcome; for a proven change, make the commit and the pull request's text first."""
    findings = attempt.findings
    cut_off = CUT_OFF.get(finished.reason, "")
    match judged:
        case CheckedPatch():
            findings.verification = _verification_of(judged)
            _prepare(attempt, session, judged)
            if findings.order.branch:
                attempt.checkout.write_branch(repository, findings.order.branch, findings.commit)
            reason = judged.reason + (f"; {cut_off}, but its change is proven" if cut_off else "")
            return Outcome("verified", reason, ExitCode.HANDLED)
        case TestsFailed():
            findings.verification = _verification_of(judged)
            return Outcome("tests_failed", judged.reason, ExitCode.TESTS_FAILED)
        case Refused():
            return Outcome("refused", f"the change was refused: {judged}", ExitCode.CHANGE_REFUSED)
        case NoChange():
            return _without_change(finished, cut_off)


def _without_change(finished: Finished, cut_off: str) -> Outcome:
    if finished.reason in ("steps", "budget"):
        raise BudgetSpent(f"{cut_off} before it changed anything", hint="raise the cap, or make the task smaller")
    said = f": {finished.summary.strip()}" if finished.summary.strip() else ""
    reason = f"{cut_off} before it changed anything" if cut_off else f"the agent finished without a change{said}"
    return Outcome("no_change", reason, ExitCode.NO_CHANGE)
