"""How the Action starts the bot's container: with the variables, files and rights that are named here, and no others.

A container action would be handed every input, the runner's own tokens, the workspace and the home. This one gets none
of those. Files lie at the same paths inside and outside, so that nothing has to be translated. The boxes are siblings
of the container, made through the engine's socket; they get their files through the engine, never by a mount.
Only the standard library: it runs on the runner, as `python3 -I -S scripts/bare.py ay_bot.host.launch`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from ay_bot.errors import AyBotError, SandboxUnavailable, UsageError
from ay_bot.host.environment import environment
from ay_bot.host.gate_step import GREETED
from ay_bot.host.gateway_process import model_environment
from ay_bot.host.outline_cache import choose_place, prepare_place

SOCKET: Final = "/var/run/docker.sock"
"""Where the engine listens, outside unless DOCKER_HOST says so, and inside always."""
FACTS: Final = (
    "CI", "GITHUB_ACTIONS", "GITHUB_ACTOR", "GITHUB_API_URL", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH",
    "GITHUB_GRAPHQL_URL", "GITHUB_OUTPUT", "GITHUB_REPOSITORY", "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID",
    "GITHUB_SERVER_URL", "GITHUB_STEP_SUMMARY", "GITHUB_TRIGGERING_ACTOR", "GITHUB_WORKFLOW_REF",
)  # fmt: skip
"""What the bot is told of the run."""
CERTIFICATES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
MACHINES_OWN: Final = (*CERTIFICATES, CREDENTIALS, "PATH", "LANG", "LC_ALL", "SSL_CERT_DIR")
"""What the gateway is given from a machine of its own, but says nothing inside a container."""
CLIENTS_OWN: Final = (
    "PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION",
)  # fmt: skip
"""What docker's program needs for itself."""
PLACES: Final = ("INPUT_BUNDLE", "INPUT_CACHE_DIRECTORY")
"""Inputs that are paths; the container gets them as they are, and not as they were written."""
REQUIRED: Final = ("AY_CONTAINER", "AY_IMAGE", "GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "RUNNER_TEMP")

HINT: Final = "this step is started by the Action; see docs/action.md"


class Shared(NamedTuple):
    """A file or directory that the container sees at the path that it has outside."""

    path: Path
    writable: bool = False

    def option(self) -> str:
        """Return it as the value of docker's --mount."""
        if set(str(self.path)) & set(',"\n'):
            hint = "choose a directory without commas and quotes for the runner, `bundle` and `cache-directory`"
            raise UsageError(f"the path {self.path} can't be handed to a container", hint=hint)
        suffix = "" if self.writable else ",readonly"
        return f"type=bind,source={self.path},target={self.path}{suffix}"


def command(given: Mapping[str, str], *, finalize: bool, uid: int, gid: int) -> list[str]:
    """Return the arguments of docker. Values come from docker's own environment, so that no secret is among them."""
    if missing := [name for name in REQUIRED if not given.get(name)]:
        raise UsageError(f"not set: {', '.join(missing)}", hint=HINT)
    own = own_directory(given)
    bundle = _bundle(given)
    cache = None if finalize else _cache(given)
    name = given["AY_CONTAINER"] + ("-finalize" if finalize else "")
    socket, group = _engine(given)
    return [
        *("docker", "run", "--rm", "--name", name, "--user", f"{uid}:{gid}", "--group-add", str(group)),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pull", "never"),
        *("--mount", f"type=bind,source={socket},target={SOCKET}"),
        *(word for shared in _shared(given, own, bundle, finalize=finalize) for word in ("--mount", shared.option())),
        *(("--mount", Shared(cache, writable=True).option()) if cache else ()),
        *(word for name in passed_names(given, finalize=finalize) for word in ("--env", name)),
        *("--env", f"RUNNER_TEMP={own}", "--env", "HOME=/tmp"),
        *(("--env", f"INPUT_BUNDLE={bundle}") if bundle else ()),
        *(("--env", f"INPUT_CACHE_DIRECTORY={cache}") if cache else ()),
        given["AY_IMAGE"],
        *(("--finalize",) if finalize else ()),
    ]


def passed_names(given: Mapping[str, str], *, finalize: bool = False) -> list[str]:
    """Return the variables that the container gets: facts, inputs, and the models' keys where a model is used."""
    names = {name for name in (*FACTS, GREETED) if given.get(name)}
    names |= {name for name in given if name.startswith("INPUT_") and given[name] and name not in PLACES}
    names |= {name for name in given if name.upper() in PROXIES and given[name]}
    names |= {name for name in CERTIFICATES if _is_file(given.get(name))}
    if not finalize and given.get("INPUT_MODE") != "publish":
        names |= {name for name in model_environment(given) if given[name] and name.upper() not in MACHINES_OWN}
        names |= {CREDENTIALS} if _is_file(given.get(CREDENTIALS)) else set()
    return sorted(names)


def own_directory(given: Mapping[str, str]) -> Path:
    """Return the directory that the container gets for its files, which this runner keeps until the job ends."""
    return Path(given["RUNNER_TEMP"]).resolve() / given["AY_CONTAINER"]


def _shared(given: Mapping[str, str], own: Path, bundle: Path | None, *, finalize: bool) -> Iterator[Shared]:
    yield Shared(Path(given["GITHUB_EVENT_PATH"]))
    yield from (
        Shared(Path(given[name]), writable=True)
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        if _is_file(given.get(name))
    )
    yield Shared(own, writable=True)
    if bundle:
        yield Shared(bundle, writable=given.get("INPUT_MODE") == "work")
    files = CERTIFICATES if finalize or given.get("INPUT_MODE") == "publish" else (*CERTIFICATES, CREDENTIALS)
    yield from (Shared(Path(path)) for path in dict.fromkeys(filter(_is_file, map(given.get, files))) if path)


def _bundle(given: Mapping[str, str]) -> Path | None:
    """Return the bundle's directory as an absolute path; what is relative lies in the workspace."""
    name = given.get("INPUT_BUNDLE", "")
    return Path(given.get("GITHUB_WORKSPACE", "."), name).resolve() if name else None


def _cache(given: Mapping[str, str]) -> Path | None:
    """Return the directory of the outline's cache, for the modes that read files."""
    if given.get("INPUT_MODE") == "publish":
        return None
    workspace = Path(given["GITHUB_WORKSPACE"]) if given.get("GITHUB_WORKSPACE") else None
    name, temporary = given.get("INPUT_CACHE_DIRECTORY", "").strip(), Path(given["RUNNER_TEMP"]).resolve()
    return choose_place(name, workspace, temporary, own_directory(given), _bundle(given))


def _engine(given: Mapping[str, str]) -> tuple[str, int]:
    """Return the socket of the engine and the group that may use it."""
    address = given.get("DOCKER_HOST") or f"unix://{SOCKET}"
    socket = Path(address.removeprefix("unix://"))
    if not address.startswith("unix://") or not socket.is_socket():
        hint = "use a runner with a Docker engine of its own, such as ubuntu-24.04"
        raise SandboxUnavailable(
            f"the Action needs the socket of a Docker engine, and there is none at {address}", hint=hint
        )
    return str(socket), socket.stat().st_gid


def _is_file(path: str | None) -> bool:
    return bool(path) and Path(path or "").is_file()


def _make_directories(given: Mapping[str, str], *, finalize: bool) -> None:
    own_directory(given).mkdir(mode=0o700, parents=True, exist_ok=True)
    bundle = _bundle(given)
    if bundle:
        bundle.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not finalize and (cache := _cache(given)):
        prepare_place(cache)


def main(arguments: Sequence[str]) -> int:
    """Become docker; before finalizing, end what a cancelled step may have left running."""
    given = environment()
    finalize = "--finalize" in arguments
    try:
        words = command(given, finalize=finalize, uid=os.getuid(), gid=os.getgid())
        _make_directories(given, finalize=finalize)
    except AyBotError as error:
        sys.stderr.write(f"ay-bot: error: {error}\n")
        return error.exit_code
    if finalize:
        removal = ["docker", "rm", "--force", given["AY_CONTAINER"]]
        subprocess.run(removal, check=False, capture_output=True, env=client_environment(given))
    return _become(words, client_environment(given, *passed_names(given, finalize=finalize)))


def client_environment(given: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return what docker's own program gets: how to reach its engine, and what it has to hand on."""
    return {name: given[name] for name in (*CLIENTS_OWN, *names) if name in given}


def _become(words: list[str], made: Mapping[str, str]) -> NoReturn:
    """Let docker take this process's place, so that the runner's signals reach it."""
    os.execvpe(words[0], words, made)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
