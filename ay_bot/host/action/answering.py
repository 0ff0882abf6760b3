"""What the agent wants to say: it is judged in all its stages, and what is allowed is said exactly once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ay_bot.errors import ExitCode
from ay_bot.host.action.connection import Connection
from ay_bot.host.action.diff_lines import read_new_lines
from ay_bot.host.action.standpoint import Standpoint
from ay_bot.host.github.follow_up import is_own_pull
from ay_bot.host.github.opening import list_own_open
from ay_bot.host.github.output_execution import execute_outputs
from ay_bot.host.github.request import Request
from ay_bot.host.outputs.check import check
from ay_bot.host.outputs.decision import Denied
from ay_bot.host.outputs.policy import OutputContext, OutputPolicy, build_policy, offered
from ay_bot.host.report import Result
from ay_bot.protocol.outputs import CommentOutput, Output, OutputType, ReplyOutput, ReviewOutput, answer_of

FOR_CHANGE: Final = frozenset(
    {"comment", "reply", "labels", "issue", "update_pull_request", "close_own_pull_request", "noop", "blocked", "ask"}
)
FOR_ANSWER: Final = frozenset({"labels", "issue", "ask"})
"""What the agent may propose beside its change or its answer; branches and new pull requests are the host's."""


@dataclass(frozen=True)
class Answering:
    """The words of one run, for one request."""

    connection: Connection
    stand: Standpoint
    diff: str

    @property
    def request(self) -> Request:
        """Return what is answered."""
        return self.stand.request

    @property
    def offered(self) -> tuple[OutputType, ...]:
        """Return what the agent is told that it may propose."""
        fitting: frozenset[str] = FOR_CHANGE if self.request.writes_code else FOR_ANSWER
        if self.request.verb == "review":
            fitting |= {"review"}
        return tuple(name for name in offered(self._policy, self._facts()) if name in fitting)

    def speak(self, result: Result, propose: Callable[[str], str]) -> tuple[str, ...]:
        """Say what is allowed, once, and return a line for people about each thing that is not."""
        if self.request.verb == "plan" and result.status == "answered":
            propose(result.summary)
        outputs = self._outputs(result)
        if not outputs:
            return ()
        decisions = check(outputs, self._policy, self._context(outputs, result))
        problems = execute_outputs(
            decisions, self.connection.publishing(), self.request, commit=self.stand.snapshot.head
        )
        return (*(str(each) for each in decisions if isinstance(each, Denied)), *problems)

    @property
    def _policy(self) -> OutputPolicy:
        return build_policy(self.stand.settings, may_write=True)

    def _outputs(self, result: Result) -> Sequence[Output]:
        """Return what the agent proposed; an answer is something to say too, where the agent did not."""
        if result.status == "verified" and (reply := self._tell_where_asked(result)):
            return (*result.outputs, reply)
        if result.status != "answered" or self.request.verb == "plan" or not result.summary.strip():
            return result.outputs
        request = self.request
        if request.verb == "review":
            if any(isinstance(output, ReviewOutput) for output in result.outputs):
                return result.outputs
            return (*result.outputs, ReviewOutput(body=result.summary[:65_000]))
        if request.comment_kind == "review_comment" and request.comment:
            return (*result.outputs, ReplyOutput(body=result.summary[:65_000], comment=request.comment))
        return (*result.outputs, CommentOutput(body=result.summary[:65_000]))

    def _tell_where_asked(self, result: Result) -> ReplyOutput | None:
        """Return the answer to a remark on a line that asked for the change, unless the agent has one itself."""
        remark = self.request.comment if self.request.comment_kind == "review_comment" else None
        if not remark or "reply" not in self._policy.allowed:
            return None
        if any(isinstance(output, ReplyOutput) and output.comment == remark for output in result.outputs):
            return None
        return ReplyOutput(body=f"Done in {result.commit}. {result.summary[:60_000]}".strip(), comment=remark)

    def _context(self, outputs: Sequence[Output], result: Result) -> OutputContext:
        forge, request = self.connection.publishing(), self.request
        kinds = {output.type for output in outputs}
        looks = bool(kinds & {"update_pull_request", "close_own_pull_request"})
        own = {pull.number for pull in list_own_open(forge)} if looks else self._own_thread()
        comments = forge.comments(request.number) if "reply" in kinds else ()
        return self._facts().model_copy(
            update={
                "own_pull_requests": frozenset(own),
                "review_comments": frozenset(each.id for each in comments if each.kind == "review_comment"),
                "diff_lines": dict(read_new_lines(self.diff)),
                "verified": {"verified": True, "tests_failed": False}.get(result.status),
            }
        )

    def _own_thread(self) -> frozenset[int]:
        own = self.connection.publishing().own_login()
        ours = is_own_pull(self.request, self.stand.snapshot.head_branch, own)
        return frozenset({self.request.number} if ours else ())

    def _facts(self) -> OutputContext:
        request, context = self.request, self.connection.context
        return OutputContext(
            repository=request.repository,
            thread=request.number,
            kind=request.thread,
            own_pull_requests=self._own_thread(),
            requester=request.requester,
            run_url=context.run_url,
            server=context.server_url.partition("://")[2].partition("/")[0],
            secrets=self.connection.secrets,
        )


def after_words(result: Result, denied: Sequence[str]) -> Result:
    """Return the result once all was said: a request can be carried out by words, labels and the like alone."""
    if result.status != "no_change" or not result.outputs or denied or answer_of(result.outputs):
        return result
    reason = result.summary.strip() or "what was asked for is done, without a change of the code"
    return result.model_copy(update={"status": "answered", "reason": reason, "exit_code": int(ExitCode.HANDLED)})
