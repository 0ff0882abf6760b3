"""Parts of the work done by other agents: fresh conversations with budgets out of the parent's, results as data.

Depth 1, at most three at once; who changes files works in a copy of the workspace, and its changes are merged.
The caps are Codex's; the separate trees are ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field

from ay_bot.agent import prompt
from ay_bot.agent.ending import Ending
from ay_bot.agent.evidence import Evidence, render_result
from ay_bot.agent.model import Ask
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.finish import FINISH
from ay_bot.agent.tools.read import READ
from ay_bot.agent.tools.result import ToolResult, one_line, plural
from ay_bot.agent.tools.search import SEARCH
from ay_bot.agent.tools.tool import Offered, Tool
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.agent.worktree import Worktree
from ay_bot.protocol.conversation import ToolSpec
from ay_bot.protocol.events import AgentEvent, Delegated, DelegateFinished, Part
from ay_bot.protocol.messages import ModelFailure, ModelReply, ModelRequest, Work

MOST_AT_ONCE: Final = 3
SHARE: Final = 0.25  # of what is left of the budget, for each
LEAST_TO_REVIEW: Final = 4  # steps
READING: Final = {tool.spec.name: tool for tool in (READ, SEARCH, FINISH)}
NESTED: Final = (Delegated, DelegateFinished)


class Task(Arguments):
    """One part of the work."""

    role: Part = Field(description="explore, review or fix")
    task: str = Field(description="string", min_length=1)
    steps: int | None = Field(default=None, description="at most so many steps", gt=0)


class DelegateArguments(Arguments):
    """Parts that are independent of each other."""

    tasks: tuple[Task, ...] = Field(description="array of {role, task}", min_length=1, max_length=MOST_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Child:
    """What a child is made of; `tools` is None for all that its work allows."""

    work: Work
    root: Path
    part: Part
    ask: Ask
    tell: Callable[[AgentEvent], None]
    instructions: str
    tools: dict[str, Offered] | None


@dataclass(frozen=True, slots=True)
class Parent:
    """What the delegating agent lends: `run` makes a child and lets it work, `take_steps` pays for what it did."""

    work: Work
    ask: Ask
    tell: Callable[[AgentEvent], None]
    run: Callable[[Child], Ending]
    steps_left: Callable[[], int]
    take_steps: Callable[[int], None]


class Allowance:
    """What a child may spend: a share of what was left when it began, as the gateway counts it."""

    def __init__(self, ask: Ask, agent: int, part: Part) -> None:
        self._ask = ask
        self._agent = agent
        self._part = part
        self._most = 1.0
        self._tokens = 0
        self._cost = 0.0
        self._spent = 0.0

    def ask(self, request: ModelRequest) -> ModelReply | ModelFailure:
        """Relay a request, as long as the share lasts."""
        if self._spent >= self._most:
            text = "the share of the budget for this part of the work is spent"
            return ModelFailure(request_id=request.request_id, cause="budget", message=text)
        role = "reviewer" if self._part == "review" and request.role == "main" else request.role
        answer = self._ask(request.model_copy(update={"agent": self._agent, "role": role}))
        if isinstance(answer, ModelReply):
            used = answer.usage.prompt_tokens + answer.usage.completion_tokens
            if not self._tokens:
                self._most = SHARE * max(0.0, 1.0 - answer.budget.spent)
            self._tokens += used
            self._cost += answer.usage.cost_usd or 0.0
            self._spent = answer.budget.spent * max(
                self._tokens / max(answer.budget.tokens, self._tokens, 1),
                self._cost / max(answer.budget.cost_usd or 0.0, self._cost, 1e-9),
            )
        return answer


SPEC: Final = ToolSpec(
    name="delegate",
    description="Have up to 3 independent parts done by others with fresh eyes, at once. "
    "explore and review read only, fix changes files in a copy that is merged. They know only what you write",
    parameters={
        "type": "object",
        "properties": {
            "tasks": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "role": {"type": "string", "enum": ["explore", "review", "fix"]},
                        "task": {"type": "string"},
                        "steps": {"type": "integer"},
                    },
                    "required": ["role", "task"],
                },
            }
        },
        "required": ["tasks"],
    },
)


class Delegate:
    """The agents that work for one session; `tool` is how its model asks for them."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._count = 0
        self.tool = Tool(SPEC, DelegateArguments, self._delegate, _describe)

    def _delegate(self, arguments: DelegateArguments, bench: Workbench) -> ToolResult:
        """Let the parts be done at once, merge what they changed, and give their results as JSON."""
        trees: list[Worktree | None] = []
        try:
            for number, task in enumerate(arguments.tasks, start=self._count + 1):
                place, wanted = bench.scratch / f"tree-{number}", task.role == "fix"
                trees.append(Worktree.copy(bench.root, place, self._parent.work.ignore) if wanted else None)
            return self._carry_out(arguments.tasks, trees, bench)
        finally:
            for tree in trees:
                if tree:
                    tree.remove()

    def review(self, task: str, root: Path, instructions: str) -> Ending:
        """Have a change looked at by fresh eyes."""
        self._count += 1
        steps = max(LEAST_TO_REVIEW, int(self._parent.steps_left() * SHARE))
        ended, _ = self._work(Task(role="review", task=task), self._count, root, steps, instructions)
        self._parent.take_steps(ended.steps)
        return ended

    def _carry_out(self, tasks: Sequence[Task], trees: Sequence[Worktree | None], bench: Workbench) -> ToolResult:
        from concurrent.futures import ThreadPoolExecutor

        numbers = range(self._count + 1, self._count + 1 + len(tasks))
        self._count += len(tasks)
        steps = max(1, int(self._parent.steps_left() * SHARE))
        roots = [tree.root if tree else bench.root for tree in trees]
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            work = [
                pool.submit(self._work, task, number, root, steps)
                for task, number, root in zip(tasks, numbers, roots, strict=True)
            ]
            ended = [one.result() for one in work]
        self._parent.take_steps(sum(end.steps for end, _ in ended))
        results = []
        for task, number, tree, (end, evidence) in zip(tasks, numbers, trees, ended, strict=True):
            merged = tree.merge_into(bench) if tree else None
            results.append(render_result(number, task.role, end, evidence, merged))
        good = sum(end.reason == "finished" for end, _ in ended)
        return ToolResult("[" + ",\n".join(results) + "]", outcome=f"{good} of {plural(len(tasks), 'part')} done")

    def _work(
        self, task: Task, number: int, root: Path, steps: int, instructions: str = ""
    ) -> tuple[Ending, tuple[str, ...]]:
        """Let one work to its end; return that, and what it looked at and ran, by the events and not by its words."""
        evidence = Evidence()
        parent = self._parent
        allowance = Allowance(parent.ask, number, task.role)
        tools: dict[str, Offered] | None = None if task.role == "fix" else dict(READING)
        work = parent.work.model_copy(
            update={
                "task": task.task,
                "layer_rates": {layer: rate for layer, rate in parent.work.layer_rates.items() if layer != "task"},
                "max_steps": min(steps, task.steps or steps),
                "delegation": False,
                "review": "off",
                "outputs": (),
                "load": (),
                "architect": parent.work.architect and tools is None,  # who only reads has no editor to ask
            }
        )
        child = Child(
            work=work,
            root=root,
            part=task.role,
            ask=allowance.ask,
            tell=lambda event: self._tell(number, task.role, event, evidence),
            instructions=instructions or prompt.PARTS[task.role],
            tools=tools,
        )
        ended = parent.run(child)
        parent.tell(
            DelegateFinished(
                agent=number,
                part=task.role,
                status=ended.reason,
                steps=ended.steps,
                summary=one_line(ended.summary, 300),
            )
        )
        return ended, evidence.lines()

    def _tell(self, number: int, part: Part, event: AgentEvent, evidence: Evidence) -> None:
        evidence.hear(event)
        if not isinstance(event, NESTED):
            self._parent.tell(Delegated(agent=number, part=part, event=event))


def _describe(arguments: DelegateArguments) -> str:
    return "; ".join(f"{task.role}: {task.task}" for task in arguments.tasks)
