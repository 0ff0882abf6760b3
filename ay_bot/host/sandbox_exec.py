"""One command behind the wall that agents and tests have: no network but a proxy, no rights, nothing of the user's."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_args

from ay_bot.errors import CommandRefused, SandboxUnavailable, UsageError
from ay_bot.host.boxes import ended_after
from ay_bot.host.egress import Attempt, Network, NetworkPolicy, PresetName, Where, open_egress
from ay_bot.host.egress.laboratory import Laboratory
from ay_bot.host.interrupts import ended_by_signals
from ay_bot.host.limits import limits_for
from ay_bot.host.live_output import MOST, LiveOutput
from ay_bot.host.policy.boxes import choose_archive
from ay_bot.host.policy.source import PolicySource, find_repository, open_policy
from ay_bot.host.policy.symptoms import explain_symptoms
from ay_bot.host.sandbox import Box, BoxLimits, BoxSpec, DriverName, Sandbox
from ay_bot.host.sandbox.guarantees import parse_requirements
from ay_bot.host.sandbox.select import choose, parse_preference
from ay_bot.host.scratch import open_scratch
from ay_bot.host.session import receive, send_seed, unexpected
from ay_bot.protocol.command_rules import CommandPolicy, Judgement
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.plain_messages import Check, Checked, Exit, Wrote

SECONDS: Final = 600.0
GRACE: Final = 60.0  # that a box may take beyond the command's own limit before it is ended from outside
EMPTY_TAR: Final = bytes(1024)


class Executed(Value):
    """What became of a command. `output` is its stdout and stderr, cut in the middle, fit for a terminal."""

    driver: DriverName
    image: str
    exit_code: int  # 124 where it was ended for its time; signals as shells count them
    timed_out: bool
    seconds: float
    output: str
    notices: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """What it asked the proxy for, where it had one."""
    messages: tuple[str, ...] = ()
    """What the policy says to what it complained of."""


@dataclass(frozen=True)
class Wanted:
    """How a command shall run. `show` gets what it writes as it writes it, `tell` what it asks the proxy for."""

    sandbox: str = "auto"
    image: str = ""
    timeout: float = SECONDS
    repository: Path | None = None
    directory: Path | None = None
    """Where it is run: if that is in a repository and none is named, the policy of its HEAD counts, but no file."""
    runtime: str = ""
    require: Iterable[str] = ()
    policy: Path | None = None
    network: str = "none"
    show: Callable[[str], None] = lambda _: None
    tell: Callable[[Attempt], None] = lambda _: None
    notice: Callable[[str], None] = lambda _: None
    judge: Callable[[str, CommandPolicy], Judgement] | None = None
    laboratory: Laboratory | None = None
    """For experiments alone."""


def run(command: Sequence[str], environment: Mapping[str, str], wanted: Wanted) -> Executed:
    """Run `command` in a fresh box: in an empty workspace, or in the tree of the HEAD of a repository."""
    preference, required = parse_preference(wanted.sandbox), parse_requirements(wanted.require)
    if not command:
        raise UsageError("there is no command to run", hint="give it after two dashes: ay-bot sandbox exec -- ls -l")
    if not 0 < wanted.timeout <= 24 * 3600:
        raise UsageError(f"a command can't have {wanted.timeout:g} seconds", hint="give --timeout between 1 and 86400")
    with open_scratch() as scratch:
        wall = wanted.timeout + GRACE
        with _policy(wanted) as source:
            where, network = choose_network(wanted.network, source.settings.network)
            _require_allowed(command, source, wanted)
            archive = _archive(source, scratch)
            limits = _limits(source, archive, wall)
        driver, notices = choose(
            preference,
            environment,
            image=wanted.image,
            repository=wanted.repository,
            runtime=wanted.runtime,
            require=dict.fromkeys((*required, *source.settings.require)),
        )
        for notice in notices:
            wanted.notice(notice)
        with open_egress(
            network, driver, run=scratch.name, where=where, wall=wall, tell=wanted.tell, laboratory=wanted.laboratory
        ) as egress:
            spec = BoxSpec(
                run=scratch.name,
                purpose="exec",
                only_for_checks=True,
                image=wanted.image,
                limits=limits,
                environment=egress.environment,
                door=egress.door if network.is_open() else None,
            )
            done = _execute(driver, spec, archive, command, wanted)
        messages = explain_symptoms(done.output, done.exit_code, has_proxy=network.is_open())
        update = {"notices": notices, "attempts": egress.attempts(), "messages": messages}
        return done.model_copy(update=update)


@contextmanager
def _policy(wanted: Wanted) -> Iterator[PolicySource]:
    """Open what counts: the file that is named, else the repository's own; its tree only where it is named too."""
    repository = wanted.repository
    if repository is None and wanted.policy is None and wanted.directory is not None:
        repository = find_repository(wanted.directory)
    with open_policy(repository, wanted.policy) as source:
        yield source if wanted.repository else replace(source, checkout=None)


def _limits(source: PolicySource, archive: Path, wall: float) -> BoxLimits:
    checkout = source.checkout
    files = len(checkout.list_files(checkout.repository.head)) if checkout else 0
    return limits_for(source.settings.limits, wall=wall, archive_size=archive.stat().st_size, files=files)


def choose_network(word: str, network: Network) -> tuple[Where, NetworkPolicy]:
    """Return the policy that `--network` names: none, that of a kind of box, or one of presets and hosts."""
    match word.strip():
        case "none" | "":
            return "setup", NetworkPolicy()
        case "setup":
            return "setup", network.setup
        case "agent":
            return "agent", network.agent
        case _:
            return "setup", _open_to(word)


def _open_to(word: str) -> NetworkPolicy:
    names = [name.strip() for name in word.split(",") if name.strip()]
    presets = [name for name in names if name in get_args(PresetName)]
    hosts = [name for name in names if name not in presets]
    try:
        return NetworkPolicy.model_validate({"mode": "allowlist", "presets": presets, "hosts": hosts})
    except ValueError:
        known = ", ".join(("none", "setup", "agent", *get_args(PresetName)))
        raise UsageError(f"`--network {word}` names no network", hint=f"give hosts, or some of {known}") from None


def _require_allowed(command: Sequence[str], source: PolicySource, wanted: Wanted) -> None:
    policy = source.settings.command_policy
    if wanted.judge is None or policy.silent:
        return
    judged = wanted.judge(shlex.join(command), policy)
    if judged.decision == "forbid":
        where = source.place("other_commands") if judged.rule is None else source.place("commands", judged.rule)
        reason = "" if judged.rule is None else policy.rules[judged.rule].reason
        words = shlex.join(word or "…" for word in judged.words)[:200]
        hint = f"the rule is {where}; `ay-bot policy explain` says what would change that"
        raise CommandRefused(f"`{words}` may not be run{f': {reason}' if reason else ''}", hint=hint)


def _execute(driver: Sandbox, spec: BoxSpec, archive: Path, command: Sequence[str], wanted: Wanted) -> Executed:
    output = LiveOutput(wanted.show)
    with driver.open(spec) as box, ended_by_signals(box.kill), ended_after(box, spec.limits.wall):
        send_seed(box, archive, "")
        check = Check(command=shlex.join(command), timeout=wanted.timeout, report="", live=MOST)
        checked = _check(box, check, output)
        output.end(checked.output)
        return Executed(
            driver=driver.name,
            image=box.image,
            exit_code=checked.exit_code,
            timed_out=checked.timed_out,
            seconds=round(checked.seconds, 3),
            output=output.text,
        )


def _archive(source: PolicySource, scratch: Path) -> Path:
    archive = scratch / "tree.tar"
    if source.checkout is None:
        archive.write_bytes(EMPTY_TAR)
        return archive
    source.checkout.archive(source.checkout.repository.head, archive)
    return choose_archive(source.checkout, archive, source.paths)


def _check(box: Box, check: Check, output: LiveOutput) -> Checked:
    box.channel.send(check)
    message, body = receive(box)
    while isinstance(message, Wrote):
        output.add(body)
        message, body = receive(box)
    if not isinstance(message, Checked):
        raise unexpected(box, message)
    box.channel.send(Exit())
    if not 0 <= message.exit_code <= 255:
        msg = f"the box told an exit code that no command can have: {message.exit_code}"
        raise SandboxUnavailable(msg)
    return message
