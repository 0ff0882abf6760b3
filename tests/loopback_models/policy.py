"""The demo's script, played in any edit format, and with tool calls as text for a model that takes no others."""

import difflib
import json
from pathlib import Path

from tests.loopback_models.turns import Json, Turn

FORMS = ("edit", "apply_patch", "search_replace", "udiff", "whole")
TOOLS = ("edit", "apply_patch")


def play(script: Json, repository: Path, form: str, *, native: bool) -> tuple[list[Turn], list[Turn]]:
    """Return the turns and the side answers; `repository` is as it is before the first."""
    files: dict[str, str] = {}
    turns = [_turn(said, repository, files, form, native=native) for said in script["turns"]]
    return turns, [Turn(said) for said in script["side"]]


def _turn(said: Json, repository: Path, files: dict[str, str], form: str, *, native: bool) -> Turn:
    text = [said.get("text", "")]
    calls: list[tuple[str, Json]] = []
    patched: list[str] = []
    for call in said.get("tool_calls", ()):
        name, arguments = call["name"], call["arguments"]
        if name != "edit":
            calls.append((name, arguments))
            continue
        path = arguments["path"]
        before = files.setdefault(path, (repository / path).read_text())
        for edit in arguments["edits"]:
            assert files[path].count(edit["search"]) == 1
            files[path] = files[path].replace(edit["search"], edit["replace"])
        if form == "edit":
            calls.append((name, arguments))
        elif form == "apply_patch":
            patched += _patched(path, before, files[path])
        else:
            text.append(_written(form, path, before, files[path], arguments["edits"]))
    if patched:
        patch = "\n".join(["*** Begin Patch", *patched, "*** End Patch"])
        calls += [("apply_patch", {"patch": patch})] if native else []
        text += [] if native else [patch]
    if not native:
        text += [f"```tool\n{json.dumps({'name': name, 'arguments': arguments})}\n```" for name, arguments in calls]
    return Turn("\n\n".join(text).strip(), tuple(calls) if native else (), thought="First I look, then I act.")


def _written(form: str, path: str, before: str, after: str, edits: list[Json]) -> str:
    match form:
        case "search_replace":
            blocks = (f"<<<<<<< SEARCH\n{one['search']}=======\n{one['replace']}>>>>>>> REPLACE" for one in edits)
            return "\n".join(f"{path}\n{block}" for block in blocks)
        case "udiff":
            return f"```diff\n{_diff(path, before, after)}```"
        case _:
            return f"{path}\n````\n{after}````"


def _diff(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{path}", f"b/{path}")
    return "".join(lines)


def _patched(path: str, before: str, after: str) -> list[str]:
    body = ["@@" if line.startswith("@@") else line for line in _diff(path, before, after).splitlines()[2:]]
    return [f"*** Update File: {path}", *body]
