"""The `plan` tool: the steps of the work and how far each is, kept for the model and shown to people."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import Field, field_validator

from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, plural
from ay_bot.agent.tools.tool import Tool
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import ToolSpec
from ay_bot.protocol.events import MOST_PLAN_STEPS, PlanStep, PlanStepState

LONGEST: Final = 200
MARKS: Final[dict[str, PlanStepState]] = {"x": "done", "X": "done", ">": "doing", " ": "open", "": "open"}
STEP: Final = re.compile(r"^\s*(?:[-*+]\s*)?(?:\[(?P<mark>[ xX>]?)\]\s*)?(?P<text>\S.*?)\s*$", re.DOTALL)
WORDS: Final[dict[str, PlanStepState]] = {
    "done": "done", "completed": "done", "doing": "doing", "in_progress": "doing", "open": "open", "pending": "open",
}  # fmt: skip


class PlanArguments(Arguments):
    """The whole plan, each time: `[x]` stands before what is done, `[>]` before what is being done."""

    steps: tuple[str, ...] = Field(description="array of strings like '[x] step'", min_length=1)

    @field_validator("steps", mode="before")
    @classmethod
    def _written_otherwise(cls, value: object) -> object:
        # Other systems' plans are objects with a text and a status; models trained on those write them so.
        return [_as_line(one) for one in value] if isinstance(value, list | tuple) else value


def keep_plan(arguments: PlanArguments, bench: Workbench) -> ToolResult:
    """Replace the plan."""
    steps = tuple(_read(arguments.steps))[:MOST_PLAN_STEPS]
    bench.plan = steps
    done = sum(step.state == "done" for step in steps)
    current = next((step.text for step in steps if step.state == "doing"), "")
    outcome = f"{done} of {plural(len(steps), 'step')} done" + (f", now: {current}" if current else "")
    return ToolResult("kept", outcome=outcome)


def _read(lines: tuple[str, ...]) -> Iterator[PlanStep]:
    for line in lines:
        if match := STEP.match(line):
            text = " ".join(match["text"].split())[:LONGEST]
            yield PlanStep(text=text, state=MARKS[match["mark"] or ""])


def _as_line(step: object) -> object:
    if not isinstance(step, dict):
        return step
    text = next((step[key] for key in ("text", "step", "content", "title") if isinstance(step.get(key), str)), "")
    state = WORDS.get(str(step.get("state", step.get("status", ""))), "open")
    mark = next(mark for mark, meant in MARKS.items() if meant == state)
    return f"[{mark}] {text}"


PLAN = Tool(
    ToolSpec(
        name="plan",
        description="Keep a plan of larger work, whole each time: [x] done, [>] doing, [ ] open",
        parameters={
            "type": "object",
            "properties": {"steps": {"type": "array", "items": {"type": "string"}}},
            "required": ["steps"],
        },
    ),
    PlanArguments,
    keep_plan,
    lambda arguments: plural(len(arguments.steps), "step"),
)
