"""How a run ends: a proven change becomes a commit and the text of a pull request, everything else a reason."""

from ay_bot.errors import BudgetSpent, ExitCode, LeakSeen
from ay_bot.host.attempt import Attempt, Judged
from ay_bot.host.changes import NoChange, Refused
from ay_bot.host.checks import CheckedPatch, Proof, TestsFailed
from ay_bot.host.commit_message import CommitMessage, build_request, clean, fallback
from ay_bot.host.findings import Findings, Given, Outcome
from ay_bot.host.plain_text import clean_line
from ay_bot.host.publisher import Proposal
from ay_bot.host.pull_request import render
from ay_bot.host.redact.leaving import why_not, words_of
from ay_bot.host.redact.redactor import Redactor
from ay_bot.host.report import PullRequest, Verification
from ay_bot.host.session import Session
from ay_bot.protocol.messages import EndReason, Finished, ModelReply, ModelRequest, Review
from ay_bot.protocol.outputs import AskOutput, BlockedOutput, NoopOutput, Output, answer_of

MESSAGE_REQUEST = 1_000_000
"""The number of the request for a commit message; the agent counts its own from 1."""

CUT_OFF: dict[EndReason, str] = {
    "steps": "the agent used all its steps (`--max-steps`)",
    "budget": "the budget of the model is spent (`--max-cost`, `--max-tokens`)",
    "stuck": "the agent went round in circles and was stopped",
    "context": "the conversation outgrew the model's context",
}
"""Why an agent that did not finish by itself ended."""


def conclude(attempt: Attempt, session: Session, finished: Finished, judged: Judged) -> Outcome:
    """Return the run's outcome; for a proven change, make the commit and the pull request's text first."""
    findings = attempt.findings
    if quarantined := _quarantine(findings):
        return quarantined
    cut_off = CUT_OFF.get(finished.reason, "")
    match judged:
        case CheckedPatch():
            findings.verification = _describe_proof(judged.proof)
            with findings.log.phase("message"):
                message = _write_message(session, judged, findings.order.task.text)
                findings.usage = session.usage
            return _publish(attempt, judged, message, judged.reason + (f"; {cut_off}" if cut_off else ""))
        case _:
            return _without_proof(attempt, finished, judged)


def _without_proof(attempt: Attempt, finished: Finished, judged: TestsFailed | Refused | NoChange) -> Outcome:
    cut_off = CUT_OFF.get(finished.reason, "")
    match judged:
        case TestsFailed():
            attempt.findings.verification = _describe_proof(judged.proof)
            return Outcome("tests_failed", judged.reason + (f"; {cut_off}" if cut_off else ""), ExitCode.TESTS_FAILED)
        case Refused():
            return Outcome("refused", f"the change was refused: {judged}", ExitCode.CHANGE_REFUSED)
        case NoChange():
            return _without_change(finished, cut_off)


def _quarantine(findings: Findings) -> Outcome | None:
    """End a run whose agent says a canary; what it says is kept from everybody.

    A real secret can't come out of a box that has none: an output that holds one is denied, and a summary is judged
    with its proposal.
    """
    watch = Redactor((), findings.order.canaries.values)
    words = [*words_of(findings.summary, findings.outputs)]
    if attempts := findings.attempts:
        if attempts.leak:
            return quarantine(findings, attempts.leak)
        words.append(("the name of a host that the box asked for", "\n".join(attempts.hosts())))
    reason = why_not(watch, words)
    return _keep_from_everybody(findings, reason) if reason else None


def quarantine(findings: Findings, leak: LeakSeen) -> Outcome:
    """Return the outcome of a run that was ended while something of it was on its way out."""
    return _keep_from_everybody(findings, f"{leak.message}, and what to do: {leak.hint}")


def _keep_from_everybody(findings: Findings, reason: str) -> Outcome:
    findings.summary, findings.outputs = "", ()
    return Outcome("refused", reason, ExitCode.CHANGE_REFUSED)


def _publish(attempt: Attempt, checked: CheckedPatch, message: CommitMessage, reason: str) -> Outcome:
    """Write the pull request's text, and have the change published, unless a secret would leave with it."""
    findings = attempt.findings
    task = findings.order.task
    objections = findings.objections if findings.objections and findings.objections.verdict == "object" else None
    if findings.strict and (refused := _find_no_approval(findings.objections)):
        return Outcome("refused", refused, ExitCode.CHANGE_REFUSED)
    with findings.log.phase("publish"):
        findings.commit_message = message.text
        text = render(
            title=message.subject,
            summary=findings.summary,
            task=task.title,
            patch=checked.patch,
            proof=checked.proof,
            objections=objections.findings if objections else None,
        )
        findings.pull_request = PullRequest(title=text.title, body=text.body, draft=text.draft)
        proposal = Proposal(attempt.checkout, checked, message, findings.summary, findings.pull_request)
        if refused := why_not(findings.log.redactor, (), proposal):
            findings.pull_request, findings.commit_message = None, ""
            return Outcome("refused", refused, ExitCode.CHANGE_REFUSED)
        published = findings.order.publisher.publish(proposal)
        findings.pull_request = published.pull_request
        findings.branch, findings.commit, findings.url = published.branch, published.commit, published.url
        for note in published.notes:
            findings.notice(note)
    return Outcome("verified", reason, ExitCode.HANDLED)


def _find_no_approval(review: Review | None) -> str:
    """Say why a change may not leave where a reviewer must approve it; empty if one does."""
    if review is None or review.verdict == "none":
        return "the tests pass, but no reviewer has approved the change (`review: strict`)"
    if review.verdict == "approve":
        return ""
    why = "; ".join(clean_line(finding.text) for finding in review.findings[:3]) or "without a reason"
    return f"the tests pass, but the reviewer objects (`review: strict`): {why}"


def conclude_given(attempt: Attempt, given: Given) -> Outcome:
    """Return the outcome of work that was done elsewhere: it is judged, proven and published as any other."""
    judged = attempt.judge_given(given)
    if quarantined := _quarantine(attempt.findings):
        return quarantined
    if isinstance(judged, CheckedPatch):
        attempt.findings.verification = _describe_proof(judged.proof)
        message = clean(given.message) or fallback(judged.patch, attempt.findings.order.task.text)
        return _publish(attempt, judged, message, judged.reason)
    return _without_proof(attempt, given.finished, judged)


def conclude_answer(finished: Finished, findings: Findings) -> Outcome:
    """Return the outcome of work that was to give an answer and no change."""
    if quarantined := _quarantine(findings):
        return quarantined
    if not finished.summary.strip() and not finished.outputs:
        return _without_change(finished, CUT_OFF.get(finished.reason, ""))
    return Outcome("answered", CUT_OFF.get(finished.reason, "the agent answered"), ExitCode.HANDLED)


def _write_message(session: Session, checked: CheckedPatch, task: str) -> CommitMessage:
    """Ask the weak model; a model that fails, or writes no usable message, is replaced by plain facts."""
    messages = build_request(checked.patch.diff, task)
    reply = session.ask(ModelRequest(request_id=MESSAGE_REQUEST, role="weak", messages=messages, max_output_tokens=300))
    written = clean(reply.content) if isinstance(reply, ModelReply) else None
    return written or fallback(checked.patch, task)


def _describe_proof(proof: Proof) -> Verification:
    return Verification(
        command=proof.command,
        image=proof.image,
        per_test=proof.per_test,
        tests=proof.rows,
        counts=proof.counts,
        runs=proof.runs,
        notes=proof.notes,
    )


def _without_change(finished: Finished, cut_off: str) -> Outcome:
    if finished.reason in ("steps", "budget"):
        raise BudgetSpent(f"{cut_off} before it changed anything", hint="raise the cap, or make the task smaller")
    said = f": {finished.summary.strip()}" if finished.summary.strip() else ""
    reason = f"{cut_off} before it changed anything" if cut_off else f"the agent finished without a change{said}"
    return Outcome("no_change", _say_why(finished.outputs) or reason, ExitCode.NO_CHANGE)


def _say_why(outputs: tuple[Output, ...]) -> str:
    """Return what the agent says in place of a change, if it does."""
    match answer_of(outputs):
        case AskOutput(question=question):
            return f"the agent asks: {question}"
        case BlockedOutput(reason=reason):
            return f"the agent can't go on: {reason}"
        case NoopOutput(reason=reason):
            return f"the agent finds nothing to do: {reason}"
        case None:
            return ""
