"""One set-up in a box of its own: its commands run there once, with the set-up's network, and the result is kept."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from ay_bot.errors import UsageError
from ay_bot.host.boxes import ended_after
from ay_bot.host.plain_text import clean_line, clean_text
from ay_bot.host.sandbox import MIB, Box, BoxLimits
from ay_bot.host.session import receive, send_seed, unexpected
from ay_bot.protocol.events import SetupRan
from ay_bot.protocol.plain_messages import Check, Checked, Keep, Kept

GIB: Final = 1024 * MIB
LARGEST_LAYER: Final = 10 * GIB
LONGEST_OUTPUT: Final = 6_000
LAST_LINES: Final = 40
GRACE: Final = 300.0  # seconds beyond the commands' own, for packing and for what the engine writes
TRUSTED_BY: Final = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
                     "NODE_EXTRA_CA_CERTS", "CARGO_HTTP_CAINFO")  # fmt: skip
"""What tells programs of a bundle of certificates, where this machine has one of its own."""


class Layer(Protocol):
    """The engine, as far as one set-up needs it."""

    def layer_size(self, container: str) -> int:
        """Return how many bytes a box has written to its own layer."""
        ...


def limits_for(seconds: float) -> BoxLimits:
    """Return what the box of a set-up may use: builds want more processes, larger files and a larger /tmp."""
    return BoxLimits(memory=6 * GIB, pids=2048, temporary=2 * GIB, file_size=4 * GIB, wall=seconds + GRACE)


def install(
    box: Box,
    archive: Path,
    commands: tuple[str, ...],
    environment: Mapping[str, str],
    seconds: float,
    tell: Callable[[SetupRan], None],
) -> Kept:
    """Run the commands one after another on a tree, and have the box put aside what they made. Raises UsageError."""
    with ended_after(box, seconds + GRACE):
        send_seed(box, archive, "")
        left = seconds
        for command in commands:
            left -= _run(box, command, environment, left, tell)
        box.channel.send(Keep())
        message, _ = receive(box)
    if not isinstance(message, Kept):
        raise unexpected(box, message)
    return message


def _run(
    box: Box, command: str, environment: Mapping[str, str], left: float, tell: Callable[[SetupRan], None]
) -> float:
    box.channel.send(Check(command=command, timeout=max(left, 1.0), report="", environment=dict(environment)))
    message, _ = receive(box)
    if not isinstance(message, Checked):
        raise unexpected(box, message)
    output = last_lines(message.output)
    tell(
        SetupRan(
            command=clean_line(command)[:500],
            exit_code=message.exit_code,
            seconds=round(message.seconds, 3),
            output=output,
        )
    )
    if message.exit_code or message.timed_out:
        how = f"did not end within {left:.0f} s" if message.timed_out else f"failed with exit code {message.exit_code}"
        raise UsageError(
            f"the set-up command `{clean_line(command)[:500]}` {how}:\n{output}",
            hint="mend the command; what it fetches has to be allowed under `network.setup` in the configuration",
        )
    return message.seconds


def last_lines(output: str) -> str:
    """Return the end of what a command wrote, fit to be shown."""
    lines = clean_text(output[-4 * LONGEST_OUTPUT :]).rstrip().split("\n")
    return "\n".join(lines[-LAST_LINES:])[-LONGEST_OUTPUT:]


@contextmanager
def bounded_layer(box: Box, engine: Layer, largest: int = LARGEST_LAYER, every: float = 2.0) -> Iterator[None]:
    """End the box when it has written too much to its layer; the kernel has no cap for that here."""
    stopped, too_large = threading.Event(), threading.Event()

    def watch() -> None:
        while not stopped.wait(every):
            if engine.layer_size(box.name) > largest:
                too_large.set()
                box.kill()
                return

    watcher = threading.Thread(target=watch, name="layer-watch", daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if too_large.is_set():
            raise _too_large(largest) from error
        raise
    finally:
        stopped.set()
        watcher.join(timeout=30)


def _too_large(largest: int) -> UsageError:
    return UsageError(
        f"the set-up wrote more than {largest / GIB:.0f} GiB to its image and was ended",
        hint="install less, or make an image yourself and name it with `image:`",
    )
