"""Where settings come from: defaults, then the repository's file from the base commit, then the command line."""

import ast
import difflib
import inspect
import itertools
import json
from collections.abc import Mapping
from typing import Final, get_args

from pydantic import BaseModel, ValidationError

from ay_bot.errors import UsageError
from ay_bot.host.config import CONFIG_FILE, Chore, Overrides, Publishing, Settings
from ay_bot.host.egress.rules import HostRule, Network, NetworkPolicy
from ay_bot.host.limits import Limits
from ay_bot.host.models.packs import ModelPack
from ay_bot.host.policy.rules import FileRule
from ay_bot.protocol.command_rules import CommandRule
from ay_bot.protocol.messages import ReviewMode
from ay_bot.protocol.model_facts import Capabilities

_TRUTHS: Final = {"True": "on", "False": "off"}
"""What YAML took for a truth value."""
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "publishing": Publishing,
    "maintenance": Chore,
    "files": FileRule,
    "commands": CommandRule,
    "limits": Limits,
    "models": ModelPack,
    "capabilities": Capabilities,
}


def load_settings(file: bytes | None, overrides: Overrides, *, needs_model: bool = True) -> Settings:
    """Return the settings, or raise UsageError that names every problem at once.

    `file` is the content of CONFIG_FILE in the base commit, None where there is none.
    """
    given = _parse_file(file) if file else {}
    said = overrides.model_dump(exclude_none=True)
    if "model" in said and "pack" not in said:  # one model was asked for, and no pack
        given = {name: value for name, value in given.items() if name not in ("models", "pack")}
    try:
        settings = Settings.model_validate({**given, **said, **_stricter(given, said)})
    except ValidationError as error:
        problems = [_describe(problem["loc"], problem["type"], problem["msg"], said) for problem in error.errors()]
        known = ", ".join(Settings.model_fields)
        raise UsageError("\n".join(problems), hint=f"the settings are: {known}") from None
    if needs_model and not settings.main_model:
        raise UsageError(
            "no model was given",
            hint=f"say which with `--model PROVIDER/NAME`, or `model:` or `models:` in {CONFIG_FILE}",
        )
    return settings


def _stricter(given: Mapping[str, object], said: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that a caller may only make stricter than the file; nobody has validated them yet."""
    both = given.keys() & said.keys()
    stricter: dict[str, object] = {
        name: given[name] for name in ("require", "review") if name in both
    }  # what makes no sense is refused
    asked, also = stricter.get("require"), said.get("require")
    if isinstance(asked, list) and isinstance(also, (list, tuple)):
        stricter["require"] = [*asked, *(one for one in also if one not in asked)]
    modes: tuple[str, ...] = get_args(ReviewMode)
    reviews = [_TRUTHS.get(text := str(review), text) for review in (stricter.get("review"), said.get("review"))]
    if all(review in modes for review in reviews):
        stricter["review"] = max(reviews, key=modes.index)
    return stricter


def settings_schema() -> str:
    """Return the JSON schema of CONFIG_FILE, as it is committed under docs/."""
    schema = Settings.model_json_schema()
    models: tuple[type[BaseModel], ...] = (
        *(Settings, Publishing, Chore, Network, NetworkPolicy, HostRule, FileRule, CommandRule, Limits),
        *(ModelPack, Capabilities),
    )
    for model in models:
        part = schema if model is Settings else schema["$defs"][model.__name__]
        for name, text in _read_descriptions(model).items():
            part["properties"][name]["description"] = text
    return json.dumps(schema, indent=2) + "\n"


def _read_descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the text under each field; pydantic would read it at every start, which costs 60 ms."""
    body = ast.parse(inspect.getsource(model)).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    found = {}
    for field, text in itertools.pairwise(statements):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = inspect.cleandoc(str(ast.literal_eval(text.value)))
    return found


def _describe(location: tuple[int | str, ...], kind: str, message: str, said: Mapping[str, object]) -> str:
    name = ".".join(str(part) for part in location)
    if not name:
        return f"{CONFIG_FILE}: {message.removeprefix('Value error, ')}"
    source = f"--{name.replace('_', '-')}" if name in said else f"`{name}` in {CONFIG_FILE}"
    if kind == "extra_forbidden":
        return f"{source}: there is no such setting{_suggest(location)}"
    message = message.removeprefix("Value error, ")
    return f"{source}: {message[0].lower()}{message[1:]}"


def _suggest(location: tuple[int | str, ...]) -> str:
    section = Settings if len(location) == 1 else _SECTIONS.get(str(location[0]), Settings)
    close = difflib.get_close_matches(str(location[-1]).replace("-", "_"), section.model_fields, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _parse_file(file: bytes) -> dict[str, object]:
    import yaml

    try:
        content = yaml.safe_load(file.decode("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a number or a date that is none is a ValueError
        msg = f"{CONFIG_FILE} of the base commit can't be read: {' '.join(str(error).split())}"
        raise UsageError(msg, hint="it has to be YAML, in UTF-8") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        msg = f"{CONFIG_FILE} of the base commit is not a table of settings"
        raise UsageError(msg, hint="write one `name: value` a line")
    return content
