"""The seventh stage: what the six before it allow is sent, each output once however often the request is carried out.

A slot is a type and its count within one run. A run that is repeated may have other words for the same slot; what was
sent first stays.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from ay_bot.errors import GithubFailed
from ay_bot.host.github.branch_name import is_own_branch
from ay_bot.host.github.exactly_once import (
    Marker,
    Pause,
    comment_once,
    find_comment,
    find_or_create,
    is_own,
    issue_once,
    repeat_lost,
)
from ay_bot.host.github.forge import Comment, Forge, InlineComment, Pull
from ay_bot.host.github.pull_summary import replace_summary
from ay_bot.host.github.request import Request
from ay_bot.host.outputs.decision import Allowed, Code, Decision, Denied
from ay_bot.protocol.outputs import (
    AskOutput,
    BlockedOutput,
    CloseOwnPullRequestOutput,
    CommentOutput,
    CreatePullRequestOutput,
    IssueOutput,
    LabelsOutput,
    NoopOutput,
    Output,
    PushToOwnBranchOutput,
    ReplyOutput,
    ReviewOutput,
    UpdatePullRequestOutput,
)


def execute_outputs(
    decisions: Sequence[Decision], forge: Forge, request: Request, *, commit: str = "", pause: Pause = time.sleep
) -> tuple[str, ...]:
    """Send what is allowed and return a line for people about each that GitHub refused; one doesn't stop the others.

    `commit` is what a review is of. What opens or fills a pull request is the publisher's, and what is said in place
    of work is said in the tracking comment; neither is sent here.
    """
    execution = _Execution(forge, request, commit, pause)
    count: Counter[str] = Counter()
    problems = []
    for decision in decisions:
        if not isinstance(decision, Allowed):
            continue
        output = decision.output
        slot = Marker(kind=f"output-{output.type.replace('_', '-')}", key=f"{request.key}.{count[output.type]}")
        count[output.type] += 1
        try:
            execution.send(output, slot)
        except GithubFailed as failure:
            problems.append(str(_denied(decision, failure)))
    return tuple(problems)


@dataclass(frozen=True)
class _Execution:
    forge: Forge
    request: Request
    commit: str
    pause: Pause

    def send(self, output: Output, slot: Marker) -> None:
        forge, thread = self.forge, self.request.number
        match output:
            case CommentOutput():
                comment_once(forge, output.number or thread, slot, output.body, pause=self.pause)
            case ReplyOutput():
                self._reply(output, slot)
            case ReviewOutput():
                self._review(output, slot)
            case LabelsOutput():
                number = output.number or thread
                repeat_lost(lambda: forge.add_labels(number, output.labels), pause=self.pause)
            case IssueOutput():
                issue_once(forge, slot, output.title, output.body, output.labels, pause=self.pause)
            case UpdatePullRequestOutput():
                self._update(output)
            case CloseOwnPullRequestOutput():
                self._close(output, slot)
            case AskOutput():
                comment_once(forge, thread, slot, output.question, pause=self.pause)
            case CreatePullRequestOutput() | PushToOwnBranchOutput() | NoopOutput() | BlockedOutput():
                return
            case _:
                assert_never(output)

    def _reply(self, output: ReplyOutput, slot: Marker) -> None:
        number, body = self.request.number, f"{slot.text}\n{output.body}"

        def create() -> Comment:
            # GitHub takes no answer to an answer, only to what a thread of remarks began with.
            said = {each.id: each.reply_to for each in self.forge.comments(number) if each.kind == "review_comment"}
            return self.forge.reply_to_review_comment(number, said.get(output.comment) or output.comment, body)

        self._once("review_comment", slot, create)

    def _review(self, output: ReviewOutput, slot: Marker) -> None:
        remarks = [InlineComment(path=one.path, line=one.line, body=one.body) for one in output.comments]
        body = f"{slot.text}\n{output.body}"

        def create() -> Comment:
            return self.forge.create_review(self.request.number, commit=self.commit, body=body, comments=remarks)

        self._once("review", slot, create)

    def _update(self, output: UpdatePullRequestOutput) -> None:
        pull = self._own_pull(output.number)
        body = replace_summary(pull.body, output.body) if output.body is not None else pull.body
        title = output.title if output.title is not None else pull.title
        if (title, body) != (pull.title, pull.body):
            repeat_lost(lambda: self.forge.edit_pull(pull.number, title=title, body=body), pause=self.pause)

    def _close(self, output: CloseOwnPullRequestOutput, slot: Marker) -> None:
        pull = self._own_pull(output.number)
        comment_once(self.forge, pull.number, slot, output.body, pause=self.pause)
        if pull.is_open:
            repeat_lost(lambda: self.forge.edit_pull(pull.number, is_open=False), pause=self.pause)

    def _own_pull(self, number: int) -> Pull:
        """Return a pull request of ours; what was judged before may have changed since, or have been wrong."""
        pull = self.forge.pull(number)
        if not is_own(pull.author.login, self.forge.own_login()) or not is_own_branch(pull.head_branch):
            raise GithubFailed(f"pull request #{number} is not mine", hint="a person can change it")
        return pull

    def _once(self, kind: str, slot: Marker, create: Callable[[], Comment]) -> None:
        own = self.forge.own_login()

        def find() -> Comment | None:
            comments = self.forge.comments(self.request.number)
            return find_comment([each for each in comments if each.kind == kind], slot, own)

        find_or_create(find, create, pause=self.pause)


def _denied(decision: Allowed, failure: GithubFailed) -> Denied:
    return Denied(
        index=decision.index,
        output=decision.output,
        code=Code.API,
        rule="github",
        what=failure.message.rstrip("."),
        how_to_allow=failure.hint.rstrip(".") or "see the run's log",
    )
