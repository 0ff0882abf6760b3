"""Stage 6: what an output points at is there, and is within reach of the request."""

from fnmatch import fnmatchcase
from typing import assert_never

from ay_bot.host.outputs.decision import shown
from ay_bot.host.outputs.policy import OutputContext, OutputPolicy
from ay_bot.protocol.outputs import (
    AskOutput,
    BlockedOutput,
    CloseOwnPullRequestOutput,
    CommentOutput,
    CreatePullRequestOutput,
    InlineRemark,
    IssueOutput,
    LabelsOutput,
    NoopOutput,
    Output,
    PushToOwnBranchOutput,
    ReplyOutput,
    ReviewOutput,
    UpdatePullRequestOutput,
)

Refusal = tuple[str, str]
"""What is wrong, and what would allow it."""
_ELSEWHERE = "ask for it there; a run acts on its own thread and on open pull requests of ay-bot alone"


def resolve(output: Output, policy: OutputPolicy, context: OutputContext) -> Output | Refusal:
    """Return the output with its numbers filled in, or why it points at nothing."""
    if wrong := _wrong_labels(output, policy) or _wrong_target(output, context):
        return wrong
    if isinstance(output, CommentOutput | LabelsOutput):
        return output.model_copy(update={"number": output.number or context.thread})
    if isinstance(output, ReviewOutput):
        return _keep_remarks(output, context)
    return output


def _wrong_target(output: Output, context: OutputContext) -> Refusal | None:
    wrong: Refusal | None = None
    match output:
        case CommentOutput() | LabelsOutput():
            wrong = _wrong_thread(output.number or context.thread, context)
        case ReplyOutput():
            if output.comment not in context.review_comments:
                what = f"comment {output.comment} is no line comment of this thread"
                wrong = (what, "ask for it on the pull request it is on")
        case UpdatePullRequestOutput() | CloseOwnPullRequestOutput():
            wrong = _not_ours(output.number, context)
        case PushToOwnBranchOutput():
            wrong = None if _is_the_pull(output.number, context) else _not_ours(output.number, context)
        case ReviewOutput():
            wrong = _wrong_review(output, context)
        case CreatePullRequestOutput() | IssueOutput() | NoopOutput() | BlockedOutput() | AskOutput():
            pass
        case _:
            assert_never(output)
    return wrong


def _wrong_thread(number: int, context: OutputContext) -> Refusal | None:
    if not number:
        return "there is no thread to do this on", "name an open pull request of ay-bot"
    if number != context.thread and number not in context.own_pull_requests:
        return f"number {number} is neither this thread nor an open pull request of ay-bot", _ELSEWHERE
    return None


def _wrong_labels(output: Output, policy: OutputPolicy) -> Refusal | None:
    labels = output.labels if isinstance(output, LabelsOutput | IssueOutput) else ()
    foreign = [label for label in labels if not any(_matches(label, pattern) for pattern in policy.labels)]
    if not foreign:
        return None
    names = ", ".join(shown(label) for label in foreign[:5])
    return f"the labels {names} are not allowed", f"add {names} to `allowed_labels:` in .github/ay-bot.yml"


def _matches(label: str, pattern: str) -> bool:
    # Brackets are a part of a label's name, as in `area [core]`.
    return fnmatchcase(label.lower(), pattern.lower().replace("[", "[[]"))


def _not_ours(number: int, context: OutputContext) -> Refusal | None:
    if number in context.own_pull_requests:
        return None
    return f"number {number} is no open pull request of ay-bot", _ELSEWHERE


def _is_the_pull(number: int, context: OutputContext) -> bool:
    return context.kind == "pull_request" and number == context.thread


def _wrong_review(output: ReviewOutput, context: OutputContext) -> Refusal | None:
    if context.kind != "pull_request":
        return "this thread is no pull request", "ask for the review on the pull request"
    foreign = sorted({remark.path for remark in output.comments if remark.path not in context.diff_lines})
    if foreign:
        return f"{shown(foreign[0])} is not in the diff of this pull request", "nothing does; `@ay retry` tries again"
    return None


def _keep_remarks(output: ReviewOutput, context: OutputContext) -> ReviewOutput:
    """A remark on a line that the diff doesn't show can't stand there, and is kept in the review's body."""
    inside = tuple(one for one in output.comments if one.line in context.diff_lines[one.path])
    outside = [one for one in output.comments if one not in inside]
    if not outside:
        return output
    return output.model_copy(update={"body": "\n\n".join([output.body, *map(_as_words, outside)]), "comments": inside})


def _as_words(remark: InlineRemark) -> str:
    return f"{shown(remark.path)}, line {remark.line}:\n\n{remark.body}"
