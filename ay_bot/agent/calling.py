"""Carrying out the tool calls of one reply, in order: each gets exactly one result, whatever the model wrote."""

import difflib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from ay_bot.agent.tools.arguments import parse_object
from ay_bot.agent.tools.plan import PLAN
from ay_bot.agent.tools.result import ToolResult, one_line, refused
from ay_bot.agent.tools.tool import Offered
from ay_bot.agent.tools.workbench import Refusal, Workbench
from ay_bot.protocol.conversation import AssistantMessage, ToolCall
from ay_bot.protocol.events import AgentEvent, ModelErred, PlanChanged, ToolFinished, ToolStarted
from ay_bot.protocol.messages import ModelReply

MAX_CALLS = 64
MAX_PARALLEL = 4
AFTER_FINISH = ToolResult("not run: finish came before it", ok=False)
MODEL_ERRORS = frozenset({"json", "unknown_tool", "refused", "patch"})


@dataclass(frozen=True, slots=True)
class Done:
    """A call that was answered; `identifier` is the one that history keeps."""

    identifier: str
    tool: str
    arguments: str
    result: ToolResult


class Calling:
    """Runs calls of certain tools with one workbench, and tells of each."""

    def __init__(self, tools: Mapping[str, Offered], bench: Workbench, tell: Callable[[AgentEvent], None]) -> None:
        self._tools = tools
        self._bench = bench
        self._tell = tell

    def run(self, reply: ModelReply, kept: AssistantMessage) -> list[Done]:
        """Carry out every call of `reply`; `kept` is the same message as history has it."""
        done: list[Done] = []
        cut = reply.finish_reason == "length"
        pairs = list(zip(reply.tool_calls, kept.tool_calls, strict=True))
        while pairs:
            together = self._count_parallel(pairs[: max(MAX_CALLS - len(done), 0)])
            now, pairs = pairs[:together], pairs[together:]
            results = self._all([call for call, _ in now], done, cut=cut)
            for (call, name), result in zip(now, results, strict=True):
                done.append(Done(name.id, call.name, _canonical(call.arguments), result))
        return done

    def _count_parallel(self, pairs: Sequence[tuple[ToolCall, ToolCall]]) -> int:
        """How many of the next calls may run at once; one at least."""
        flags = [(tool := self._tools.get(call.name)) is not None and tool.parallel for call, _ in pairs]
        return max(1, len(list(takewhile(bool, flags))))

    def _all(self, now: Sequence[ToolCall], done: list[Done], *, cut: bool) -> list[ToolResult]:
        if len(now) == 1:
            return [_out_of_turn(now[0].name, done) or self._one(now[0], cut=cut)]
        if any(one.result.ends for one in done):
            return [AFTER_FINISH for _ in now]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(MAX_PARALLEL) as pool:
            return list(pool.map(lambda call: self._one(call, cut=cut), now))

    def _one(self, call: ToolCall, *, cut: bool) -> ToolResult:
        tool = self._tools.get(call.name)
        if tool is None:
            return self._erred(refused("unknown_tool", f"error: there is no tool {_known(call.name, self._tools)}"))
        try:
            values = parse_object(call.arguments)
        except Refusal as refusal:
            hint = ". Your reply was cut off at the output limit: write less at once" if cut else ""
            return self._erred(refused("json", f"error: {refusal}{hint}"))
        self._tell(ToolStarted(tool=call.name, summary=_clean(tool.describe(values))))
        start = time.monotonic()
        result = tool.run(values, self._bench)
        seconds = time.monotonic() - start
        self._tell(ToolFinished(tool=call.name, ok=result.ok, seconds=seconds, outcome=_clean(result.outcome)))
        if call.name == PLAN.spec.name and result.ok:
            self._tell(PlanChanged(steps=self._bench.plan))
        if result.failure in ("refused", "policy"):
            self._bench.rejected.append(f"{call.name}: {_clean(result.outcome)}")
        if result.failure in MODEL_ERRORS:
            return self._erred(result)
        return result

    def _erred(self, result: ToolResult) -> ToolResult:
        self._tell(ModelErred(problem=_clean(one_line(result.text, 300))))
        return result


def _canonical(arguments: str) -> str:
    """The same for arguments that mean the same."""
    try:
        return json.dumps(parse_object(arguments), sort_keys=True)
    except Refusal:
        return arguments


def _out_of_turn(name: str, done: list[Done]) -> ToolResult | None:
    if len(done) >= MAX_CALLS:
        return ToolResult(f"not run: at most {MAX_CALLS} calls in one message", ok=False)
    if any(one.result.ends for one in done):
        return AFTER_FINISH
    if name == "finish" and not all(one.result.ok for one in done):
        return ToolResult(
            "not finished: a call before it failed. Look at its result; finish again if that is fine", ok=False
        )
    return None


def _known(name: str, tools: Collection[str]) -> str:
    close = difflib.get_close_matches(name, tools, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"{name[:64]!r}.{hint} The tools are {', '.join(tools)}"


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
