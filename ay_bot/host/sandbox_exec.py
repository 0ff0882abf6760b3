"""One command behind the wall that agents and tests have: no network, no rights, nothing of the user's but one tree."""

import shlex
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.boxes import ended_after
from ay_bot.host.checkout import open_checkout
from ay_bot.host.interrupts import ended_by_signals
from ay_bot.host.plain_text import clean_text
from ay_bot.host.repository import open_repository
from ay_bot.host.sandbox import Box, BoxLimits, BoxSpec, DriverName
from ay_bot.host.sandbox.guarantees import parse_requirements
from ay_bot.host.sandbox.select import choose, parse_preference
from ay_bot.host.scratch import open_scratch
from ay_bot.host.session import receive, send_seed, unexpected
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.plain_messages import Check, Checked, Exit

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


def run(  # noqa: PLR0913 - one argument for each flag
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    sandbox: str = "auto",
    image: str = "",
    timeout: float = SECONDS,
    repository: Path | None = None,
    runtime: str = "",
    require: Iterable[str] = (),
) -> Executed:
    """Run `command` in a fresh box: in an empty workspace, or in the tree of the HEAD of `repository`."""
    wanted = parse_preference(sandbox)
    required = parse_requirements(require)
    if not command:
        raise UsageError("there is no command to run", hint="give it after two dashes: ay-bot sandbox exec -- ls -l")
    if not 0 < timeout <= 24 * 3600:
        raise UsageError(f"a command can't have {timeout:g} seconds", hint="give --timeout between 1 and 86400")
    with open_scratch() as scratch:
        archive = _archive(repository, scratch)
        driver, notices = choose(
            wanted, environment, image=image, repository=repository, runtime=runtime, require=required
        )
        limits = BoxLimits(wall=timeout + GRACE)
        spec = BoxSpec(run=scratch.name, purpose="exec", only_for_checks=True, image=image, limits=limits)
        with driver.open(spec) as box, ended_by_signals(box.kill), ended_after(box, timeout + GRACE):
            send_seed(box, archive, "")
            checked = _check(box, Check(command=shlex.join(command), timeout=timeout, report=""))
            return Executed(
                driver=driver.name,
                image=box.image,
                exit_code=checked.exit_code,
                timed_out=checked.timed_out,
                seconds=round(checked.seconds, 3),
                output=clean_text(checked.output),
                notices=notices,
            )


def _archive(repository: Path | None, scratch: Path) -> Path:
    archive = scratch / "tree.tar"
    if repository is None:
        archive.write_bytes(EMPTY_TAR)
        return archive
    found = open_repository(repository)
    with tempfile.TemporaryDirectory(dir=scratch) as directory, open_checkout(found, Path(directory)) as checkout:
        checkout.archive(found.head, archive)
    return archive


def _check(box: Box, check: Check) -> Checked:
    box.channel.send(check)
    message, _ = receive(box)
    if not isinstance(message, Checked):
        raise unexpected(box, message)
    box.channel.send(Exit())
    if not 0 <= message.exit_code <= 255:
        msg = f"the box told an exit code that no command can have: {message.exit_code}"
        raise SandboxUnavailable(msg)
    return message
