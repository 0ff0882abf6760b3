"""What the agent may ask to be said or done outside of its box: a closed union, judged by the host before anything.

None of these has any effect by itself. Texts are the model's and hostile; numbers are of the run's own repository.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from ay_bot.protocol.conversation import Value

Text = Annotated[str, Field(min_length=1, max_length=65_536)]
Line = Annotated[str, Field(min_length=1, max_length=256)]
Number = Annotated[int, Field(ge=1, le=2**53)]


class CommentOutput(Value):
    """Say something on a thread; without a number on the one of the request."""

    type: Literal["comment"] = "comment"
    body: Text
    number: Number | None = None


class ReplyOutput(Value):
    """Answer a line comment of a pull request."""

    type: Literal["reply"] = "reply"
    body: Text
    comment: Number


class CreatePullRequestOutput(Value):
    """Publish the proven change as a new pull request; the host writes the proof and owns the branch."""

    type: Literal["create_pull_request"] = "create_pull_request"
    title: Line
    body: Text


class UpdatePullRequestOutput(Value):
    """Change title or body of a pull request of our own."""

    type: Literal["update_pull_request"] = "update_pull_request"
    number: Number
    title: Line | None = None
    body: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "UpdatePullRequestOutput":
        if self.title is None and self.body is None:
            raise ValueError("neither `title` nor `body` is given")
        return self


class PushToOwnBranchOutput(Value):
    """Add the proven change to the branch of a pull request of our own, or of the request's."""

    type: Literal["push_to_own_branch"] = "push_to_own_branch"
    number: Number


class InlineRemark(Value):
    """One remark of a review, on a line of the new side of the diff."""

    path: Line
    line: Number
    body: Text


class ReviewOutput(Value):
    """A review without a vote: a body and remarks on lines."""

    type: Literal["review"] = "review"
    body: Text
    comments: Annotated[tuple[InlineRemark, ...], Field(max_length=100)] = ()


class LabelsOutput(Value):
    """Put labels on a thread; without a number on the one of the request."""

    type: Literal["labels"] = "labels"
    labels: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]
    number: Number | None = None


class IssueOutput(Value):
    """Open an issue."""

    type: Literal["issue"] = "issue"
    title: Line
    body: Text
    labels: Annotated[tuple[Line, ...], Field(max_length=20)] = ()


class CloseOwnPullRequestOutput(Value):
    """Close a pull request of our own, and say why."""

    type: Literal["close_own_pull_request"] = "close_own_pull_request"
    number: Number
    body: Text


class NoopOutput(Value):
    """Nothing has to be done, and why."""

    type: Literal["noop"] = "noop"
    reason: Text


class BlockedOutput(Value):
    """It can't be done here, and why."""

    type: Literal["blocked"] = "blocked"
    reason: Text


class AskOutput(Value):
    """A question to the requester, without whose answer the work can't go on."""

    type: Literal["ask"] = "ask"
    question: Text


Output = Annotated[
    CommentOutput
    | ReplyOutput
    | CreatePullRequestOutput
    | UpdatePullRequestOutput
    | PushToOwnBranchOutput
    | ReviewOutput
    | LabelsOutput
    | IssueOutput
    | CloseOwnPullRequestOutput
    | NoopOutput
    | BlockedOutput
    | AskOutput,
    Field(discriminator="type"),
]
OutputType = Literal[
    "comment", "reply", "create_pull_request", "update_pull_request", "push_to_own_branch", "review", "labels",
    "issue", "close_own_pull_request", "noop", "blocked", "ask",
]  # fmt: skip
MOST_OUTPUTS = 50
MOST_OF_EACH: Final[dict[OutputType, int]] = {
    "comment": 3, "reply": 20, "create_pull_request": 1, "update_pull_request": 3, "push_to_own_branch": 1,
    "review": 1, "labels": 3, "issue": 3, "close_own_pull_request": 3, "noop": 1, "blocked": 1, "ask": 1,
}  # fmt: skip
"""How many outputs of each type one run may have, where the repository doesn't say."""

Answer = NoopOutput | BlockedOutput | AskOutput
"""What is said in place of work: it ends the agent's session, and is then the last output of `Finished`."""


def answer_of(outputs: Sequence[Output]) -> Answer | None:
    """Return what an agent said in place of work, if it did: why nothing is to do, what is in the way, a question."""
    return outputs[-1] if outputs and isinstance(outputs[-1], Answer) else None
