"""The `propose` tool: what the bot should say or do on GitHub; the host judges it, and here it is only collected."""

import json
from functools import cache
from typing import Final, get_args

from pydantic import JsonValue, TypeAdapter, ValidationError

from ay_bot.agent.tools.arguments import Arguments, describe_problem
from ay_bot.agent.tools.result import ToolResult, one_line, refused
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import ToolSpec, Value
from ay_bot.protocol.messages import Work
from ay_bot.protocol.outputs import MOST_OUTPUTS, Answer, Output, OutputType

_FORMS: Final[dict[OutputType, str]] = {
    "comment": "comment: body, number?",
    "reply": "reply: comment (id of a line comment), body",
    "create_pull_request": "create_pull_request: title, body (of the PR for your change)",
    "update_pull_request": "update_pull_request: number, title?, body?",
    "push_to_own_branch": "push_to_own_branch: number (adds your change to that PR)",
    "review": "review: body, comments [{path, line, body}] on new lines of the diff",
    "labels": "labels: labels, number?",
    "issue": "issue: title, body, labels?",
    "close_own_pull_request": "close_own_pull_request: number, body",
    "noop": "noop: reason (nothing to do)",
    "blocked": "blocked: reason (it can't be done)",
    "ask": "ask: question (without whose answer you can't go on)",
}
_TEXT: Final[dict[str, JsonValue]] = {"type": "string"}
_NUMBER: Final[dict[str, JsonValue]] = {"type": "integer"}
_REMARK: Final[dict[str, JsonValue]] = {
    "type": "object",
    "properties": {"path": _TEXT, "line": _NUMBER, "body": _TEXT},
}
_FIELDS: Final[dict[str, JsonValue]] = {
    "body": _TEXT,
    "number": _NUMBER,
    "comment": _NUMBER,
    "title": _TEXT,
    "labels": {"type": "array", "items": _TEXT},
    "comments": {"type": "array", "items": _REMARK},
    "reason": _TEXT,
    "question": _TEXT,
}
_ENDING: Final = frozenset({"noop", "blocked", "ask"})


class Propose:
    """Collects proposals for as long as the session lasts."""

    arguments = Arguments
    parallel = False

    def __init__(self, work: Work) -> None:
        self._types = work.outputs
        self._most = work.output_limits
        self.spec = build_spec(work.outputs)
        self.outputs: list[Output] = []

    def describe(self, values: dict[str, object]) -> str:
        """One line for people about a call; the arguments may be wrong."""
        words = next((text for name in ("title", "body", "reason", "question") if (text := values.get(name))), "")
        return one_line(f"{values.get('type')}: {words}")

    def run(self, values: dict[str, object], _: Workbench) -> ToolResult:
        """Take a proposal, or say what is wrong with it."""
        kind = values.get("type")
        if kind not in self._types:
            return refused("refused", f"error: there is no type {str(kind)[:64]!r}; it is {' or '.join(self._types)}")
        try:
            output = _adapter().validate_python(_given(values))
        except ValidationError as error:
            problems = "; ".join(
                describe_problem(one["loc"][1:], one["type"], one["msg"]) for one in error.errors()[:5]
            )
            return refused("refused", f"error: {problems}. Expected {_FORMS[kind]}")
        return self._take(output)

    def _take(self, output: Output) -> ToolResult:
        most = min(self._most.get(output.type, MOST_OUTPUTS), MOST_OUTPUTS)
        same = [index for index, one in enumerate(self.outputs) if one.type == output.type]
        if same and most == 1:  # the model has thought better of it
            del self.outputs[same[0]]
        elif len(same) >= most:
            return refused("refused", f"error: at most {most} of the type {output.type}; this one is not taken")
        elif len(self.outputs) >= MOST_OUTPUTS:
            return refused("refused", f"error: at most {MOST_OUTPUTS} proposals; this one is not taken")
        self.outputs.append(output)
        if isinstance(output, Answer):
            words = output.question if output.type == "ask" else output.reason
            return ToolResult(words, outcome=output.type, ends=True)
        return ToolResult("noted" if len(same) < most else "noted, in place of the one before", outcome="noted")


def build_spec(types: tuple[OutputType, ...]) -> ToolSpec:
    """Return the tool as a model is told of it: the types that are allowed, and the fields that these have."""
    needed = {name for model in _models() if model.model_fields["type"].default in types for name in model.model_fields}
    ending = ", ".join(kind for kind in types if kind in _ENDING)
    forms = "; ".join(_FORMS[kind] for kind in types)
    ends = f" These end the task: {ending}." if ending else ""
    return ToolSpec(
        name="propose",
        description=f"What to say or do on GitHub once your work is checked. {forms}.{ends}",
        parameters={
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": list(types)},
                **{name: schema for name, schema in _FIELDS.items() if name in needed},
            },
            "required": ["type"],
        },
    )


@cache
def _adapter() -> TypeAdapter[Output]:
    return TypeAdapter(Output)


def _models() -> tuple[type[Value], ...]:
    union, _ = get_args(Output)
    return get_args(union)


def _given(values: dict[str, object]) -> dict[str, object]:
    """Return what a model meant: some write null for what they leave out, and an array as a string."""
    return {name: _listed(name, value) for name, value in values.items() if value is not None}


def _listed(name: str, value: object) -> object:
    if name not in ("labels", "comments") or not isinstance(value, str):
        return value
    try:
        return json.loads(value, strict=False)
    except ValueError:
        return value
