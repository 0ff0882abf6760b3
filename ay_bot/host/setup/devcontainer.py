"""A repository's devcontainer.json: the part of it that says what boxes are made of. The rest is refused or told."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ay_bot.errors import UsageError
from ay_bot.host.setup.jsonc import parse_jsonc
from ay_bot.protocol.conversation import Value

PLACES: Final = (".devcontainer/devcontainer.json", ".devcontainer.json")
COMMANDS: Final = ("onCreateCommand", "updateContentCommand", "postCreateCommand")
"""What becomes set-up commands, in the order in which the specification runs them."""
IGNORED: Final = frozenset({"name", "customizations", "extensions", "settings", "remoteUser", "containerUser",
    "updateRemoteUserUID", "userEnvProbe", "waitFor", "shutdownAction", "overrideCommand", "forwardPorts",
    "portsAttributes", "otherPortsAttributes", "appPort", "hostRequirements", "workspaceFolder", "$schema",
    "postStartCommand", "postAttachCommand", "init", "secrets"})  # fmt: skip
"""What means nothing in a box without a person in it."""
REFUSED: Final = {
    "features": "features are scripts of others that an installer would fetch; put what they do into a Dockerfile",
    "dockerComposeFile": "several containers are not what a box is; name a Dockerfile or an image",
}

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_NEVER: Final = re.compile(
    r"(?i)(LD_|GLIBC_|GCONV_|MALLOC_|DYLD_|DOCKER_|SSH_|AY_|GIT_|.*_PROXY$|.*(TOKEN|SECRET|PASSWORD|_KEY)).*"
)
_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z]+)(?::([^:}]*))?(?::([^}]*))?\}")
_WORKSPACE: Final = {"localWorkspaceFolder", "containerWorkspaceFolder"}
LONGEST: Final = 4096

Text = Annotated[str, Field(max_length=LONGEST)]
Command = Text | tuple[Text, ...] | dict[str, Text | tuple[Text, ...]]


class Build(Value):
    """How the image is built."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    dockerfile: Text = ""
    context: Text = "."
    args: dict[str, Text] = {}
    target: Text = ""
    cache_from: Text | tuple[Text, ...] = Field((), alias="cacheFrom")
    options: tuple[Text, ...] = ()


class Devcontainer(Value):
    """What is taken from the file. `dockerfile` and `context` are paths from the repository's root."""

    image: str = ""
    dockerfile: str = ""
    context: str = ""
    args: dict[str, str] = {}
    target: str = ""
    commands: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    notices: tuple[str, ...] = ()


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")  # most of what the file may say means nothing here

    image: Text = ""
    build: Build | None = None
    dockerFile: Text = ""  # noqa: N815 - the older spelling, beside `context`
    context: Text = ""
    onCreateCommand: Command = ""  # noqa: N815
    updateContentCommand: Command = ""  # noqa: N815
    postCreateCommand: Command = ""  # noqa: N815
    containerEnv: dict[str, Text] = {}  # noqa: N815
    remoteEnv: dict[str, Text | None] = {}  # noqa: N815


def parse_devcontainer(content: bytes, path: str) -> Devcontainer:
    """Return what boxes take of the file at `path`. Raises UsageError."""
    try:
        said = _Said.model_validate(parse_jsonc(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise _unusable(path, f"`{where}`: {first['msg'][:200]}") from None
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"it can't be read as JSON with comments: {str(error)[:200]}") from None
    extra = said.model_extra or {}
    for name, why in REFUSED.items():
        if extra.get(name):
            raise UsageError(f"{path} has `{name}`, which is not supported", hint=why)
    notices = [f"{path}: `{name[:60]}` is left out" for name in sorted(extra.keys() - IGNORED - REFUSED.keys())]
    environment, left_out = _read_environment({**said.containerEnv, **said.remoteEnv})
    notices += [f"{path}: the variable `{name[:60]}` is left out" for name in left_out]
    return Devcontainer(
        **_read_image(said, path),
        commands=tuple(command for name in COMMANDS for command in _flatten(getattr(said, name))),
        environment=environment,
        notices=tuple(notices[:20]),
    )


def _read_image(said: _Said, path: str) -> dict[str, object]:
    directory = PurePosixPath(path).parent
    build = said.build or Build()
    dockerfile = build.dockerfile or said.dockerFile
    if not dockerfile:
        if not said.image:
            raise _unusable(path, "it names neither an `image` nor a `build.dockerfile`")
        return {"image": said.image}
    if build.options:
        raise _unusable(path, "`build.options` could take the build's walls down")
    context = build.context if said.build else said.context or "."
    return {
        "dockerfile": resolve(directory, dockerfile, path),
        "context": resolve(directory, context, path),
        "args": {name: _fill(value) for name, value in build.args.items()},
        "target": build.target,
    }


def resolve(directory: PurePosixPath, relative: str, source: str) -> str:
    """Return a path from the repository's root; "" is the root itself. Raises UsageError for one that leads outside."""
    parts: list[str] = []
    for part in (directory / relative).parts:
        if part == "..":
            if not parts:
                raise _unusable(source, f"`{relative}` leads out of the repository")
            parts.pop()
        elif part == "/":
            raise _unusable(source, f"`{relative}` is not a path in the repository")
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _flatten(command: Command) -> Iterator[str]:
    """Yield the commands: a string is for a shell, a list is one program, a table holds several."""
    if isinstance(command, dict):
        for inner in command.values():
            yield from _flatten(inner)
    elif isinstance(command, tuple):
        if command:
            yield shlex.join(map(_fill, command))
    elif command.strip():
        yield _fill(command)


def _read_environment(said: Mapping[str, str | None]) -> tuple[dict[str, str], list[str]]:
    """Return the variables that may be set, and the names of the others."""
    taken: dict[str, str] = {}
    left_out = []
    for name, value in said.items():
        if value is None:
            continue
        filled = _fill(value)
        if not _VARIABLE.fullmatch(name) or _NEVER.fullmatch(name) or "${" in filled or "\0" in filled:
            left_out.append(name)
        else:
            taken[name] = filled
    return taken, left_out


def _fill(text: str) -> str:
    """Fill in the places of the workspace; a variable of this machine is never told, only its default is taken."""

    def value(found: "re.Match[str]") -> str:
        kind, _, default = found.groups()
        if kind in _WORKSPACE:
            return "/work"
        if kind in {"localWorkspaceFolderBasename", "containerWorkspaceFolderBasename"}:
            return "work"
        if kind == "localEnv":
            return default or ""
        return found[0]

    return _PLACEHOLDER.sub(value, text)


def _unusable(path: str, why: str) -> UsageError:
    return UsageError(f"{path} can't be used: {why}", hint="name an image or a Dockerfile with `image:` instead")


Kind = Literal["devcontainer", "dockerfile"]


def find_kind(image: str) -> tuple[Kind, str] | None:
    """Return what `image:` asks to be made of the repository's files, and the path that it names; None if nothing."""
    name, colon, path = image.partition(":")
    if name == "devcontainer":
        return "devcontainer", path if colon else ""
    if name == "dockerfile" and path:
        return "dockerfile", path
    return None
