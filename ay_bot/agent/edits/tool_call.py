"""Reading calls of the `edit` tool that a model wrote into its reply as JSON, in whatever wrapping."""

import json
import re
from itertools import islice

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, model_validator

from ay_bot.agent.edits.search_replace import Block, Problem

MOST_OBJECTS = 50  # braces that are looked at
WRAPPERS = ("arguments", "input", "parameters")
ALIASES = {
    "file_path": "path",
    "filename": "path",
    "file": "path",
    "old_string": "search",
    "old_str": "search",
    "new_string": "replace",
    "new_str": "replace",
}
"""What other systems call the same thing."""
BRACE = re.compile(r"\{")
JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class ToolEdit(BaseModel):
    """One edit of the `edit` tool; its path is the call's own if it has none."""

    model_config = ConfigDict(frozen=True, strict=True)

    path: str = ""
    search: str
    replace: str
    occurrence: int = Field(default=0, ge=0)


class ToolCall(BaseModel):
    """The arguments of the `edit` tool, as a reply without tool calls holds them."""

    model_config = ConfigDict(frozen=True)

    path: str = ""
    edits: tuple[ToolEdit, ...]

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, value: JsonValue) -> JsonValue:
        """Take what models write in its place: a whole tool call, one edit alone, edits as a string, other names."""
        for wrapper in WRAPPERS:
            if isinstance(value, dict) and wrapper in value:
                value = _parsed(value[wrapper])
        if not isinstance(value, dict):
            return value
        call = _renamed(value)
        edits = _parsed(call.get("edits", [call] if "search" in call else None))
        listed = [edits] if isinstance(edits, dict) else edits
        if not isinstance(listed, list):
            return value
        renamed: list[JsonValue] = [_renamed(edit) if isinstance(edit, dict) else edit for edit in listed]
        return {"path": call.get("path", ""), "edits": renamed}


def parse_calls(reply: str) -> tuple[Block | Problem, ...]:
    """The edits of all JSON objects that are calls, in order."""
    found: list[Block] = []
    trouble = ""
    decoder = json.JSONDecoder(strict=False)
    end = 0
    for brace in islice(BRACE.finditer(reply), MOST_OBJECTS):
        if brace.start() < end:
            continue
        try:
            value, stop = decoder.raw_decode(reply, brace.start())
            call = ToolCall.model_validate(value)
        except (ValueError, RecursionError) as error:
            trouble = trouble or _told(error)
            continue
        edits = [Block(edit.path or call.path, edit.search, edit.replace, edit.occurrence) for edit in call.edits]
        if all(edit.path for edit in edits):
            found += edits
            end = stop
    if found:
        return tuple(found)
    why = trouble or ("no path is given" if "{" in reply else "there is no JSON object in it")
    return (Problem("", f"the reply is not a JSON object with `path` and `edits`: {why}"),)


def _told(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _renamed(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {ALIASES.get(name, name): item for name, item in value.items()}


def _parsed(value: JsonValue) -> JsonValue:
    """JSON that is in a string, as it is without it."""
    if not isinstance(value, str):
        return value
    try:
        return JSON.validate_python(json.loads(value, strict=False))
    except (ValueError, RecursionError):
        return value
