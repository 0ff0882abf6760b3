"""A model's arguments: text that should be a JSON object, checked against what a tool takes."""

import json
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ay_bot.agent.tools.workbench import Refusal

# What other systems call the same thing; models trained on those write it.
ALIASES = {
    "file_path": "path",
    "filename": "path",
    "filepath": "path",
    "file": "path",
    "old_string": "search",
    "old_str": "search",
    "old_text": "search",
    "new_string": "replace",
    "new_str": "replace",
    "new_text": "replace",
    "cmd": "command",
    "input": "patch",
    "query": "pattern",
    "regex": "pattern",
    "start_line": "start",
    "end_line": "end",
}


class Arguments(BaseModel):
    """The base of every tool's arguments: unknown names are told, not dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        renamed: dict[object, object] = {}
        for name, value in values.items():
            own = ALIASES.get(name, name)
            renamed[name if name in cls.model_fields or own in values or own not in cls.model_fields else own] = value
        return renamed


Taken = TypeVar("Taken", bound=Arguments)


def parse_object(text: str) -> dict[str, object]:
    """Read a JSON object; no text at all is an empty one. Raises Refusal."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        msg = f"the arguments are not JSON: {error}; they begin {text[:60]!r} and end {text[-60:]!r}"
        raise Refusal(msg) from None
    if not isinstance(value, dict):
        msg = f"the arguments must be a JSON object, not {type(value).__name__}"
        raise Refusal(msg)
    return value


def parse_arguments(kind: type[Taken], values: dict[str, object]) -> Taken:
    """Check `values` against `kind`. Raises Refusal with every problem and what is expected."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(describe_problem(at["loc"], at["type"], at["msg"]) for at in error.errors()[:5])
        msg = f"{problems}. Expected: {_expected(kind)}"
        raise Refusal(msg) from None


def describe_problem(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """Say in a few words what pydantic found wrong."""
    name = ".".join(str(part) for part in location) or "arguments"
    match kind:
        case "missing":
            return f"`{name}` is missing"
        case "extra_forbidden":
            return f"`{name}` is not known"
        case _:
            return f"`{name}`: {message[:1].lower()}{message[1:]}"


def _expected(kind: type[Arguments]) -> str:
    fields = (
        f"{name}: {'' if not info.is_required() else 'required '}{info.description}"
        for name, info in kind.model_fields.items()
    )
    return "{" + ", ".join(fields) + "}"
