"""What `ay-bot image` does: build a repository's image ahead of time, list and prune what is kept, and the runtime."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.boxes import Boxes, ended_in_time
from ay_bot.host.checkout import open_checkout
from ay_bot.host.config import CONFIG_FILE, Overrides, Settings
from ay_bot.host.event_log import EventLog, Listener
from ay_bot.host.image import image_name, runtime_volume
from ay_bot.host.interrupts import ended_by_signals
from ay_bot.host.repository import open_repository
from ay_bot.host.sandbox import BoxSpec
from ay_bot.host.sandbox.docker import DockerSandbox, connect
from ay_bot.host.scratch import open_scratch
from ay_bot.host.session import receive, send_seed
from ay_bot.host.settings_file import load_settings
from ay_bot.host.setup import Ground
from ay_bot.host.setup.engine import KeptImage, KeptImages
from ay_bot.host.setup.preparing import Preparing, name_repository, prepared, read_certificates
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.plain_messages import Check, Checked

MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
EMPTY_TAR: Final = bytes(10240)
PYTHON: Final = "/opt/ay/bin/python3 -I -S -c 'import platform; print(platform.python_version())'"
MEASURE: Final = f"du -sk /opt/ay && uname -m && {PYTHON}"


class BuiltImage(Value):
    """What the boxes of a repository are made of. `image` is empty for ay-bot's own."""

    repository: str
    commit: str
    image: str
    environment: dict[str, str]
    seconds: float


class Runtime(Value):
    """The carried runtime on this engine. `runs` says whether it was seen to run there, and `problem` why not."""

    volume: str
    image: str
    architecture: str
    engine: str
    size: int = 0
    python: str = ""
    runs: bool = False
    problem: str = ""


def build_image(repository: Path, environment: Mapping[str, str], listener: Listener) -> BuiltImage:
    """Build what the boxes for a repository's HEAD are made of, or find it."""
    started = time.monotonic()
    log = EventLog(f"image-{int(time.time())}", (listener,))
    with open_scratch() as scratch:
        opened = open_repository(repository)
        with open_checkout(opened, scratch) as checkout:
            settings = load_settings(checkout.read_file(opened.head, CONFIG_FILE), Overrides(), needs_model=False)
            boxes = Boxes(connect(environment), log)
            name = name_repository(opened.path, environment)
            site = Preparing(boxes, checkout, opened.head, scratch, log, name, read_certificates(environment))
            ground = _prepare(site, settings, boxes)
    return BuiltImage(
        repository=str(opened.path),
        commit=opened.head,
        image=ground.image,
        environment=ground.environment,
        seconds=round(time.monotonic() - started, 3),
    )


def _prepare(site: Preparing, settings: Settings, boxes: Boxes) -> Ground:
    with ended_by_signals(boxes.stop), ended_in_time(boxes, settings.timeout), prepared(site, settings) as ground_of:
        return ground_of(site.checkout.tree_of(site.trusted))


def list_images(environment: Mapping[str, str]) -> tuple[KeptImage, ...]:
    """Return the images that set-ups left on this engine, the newest first."""
    return KeptImages(connect(environment)).list()


def prune_images(environment: Mapping[str, str], *, everything: bool, older_than: str) -> tuple[KeptImage, ...]:
    """Remove the images beyond the newest few, or older ones, or all; never one that something runs of."""
    kept = KeptImages(connect(environment))
    if everything:
        return kept.prune(most=0)
    return kept.prune(older_than=parse_age(older_than)) if older_than else kept.prune()


def parse_age(text: str) -> float:
    """Return an age such as `30m`, `12h` or `7d` in seconds. Raises UsageError."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    if not text[:-1].isdecimal() or not text.isascii() or text[-1] not in units or len(text) > 10:
        raise UsageError(f"`{text}` is no age", hint="write a number and s, m, h or d, such as 7d")
    return float(int(text[:-1]) * units[text[-1]])


def prepare_runtime(environment: Mapping[str, str]) -> Runtime:
    """Fill the volume that carries our runtime into boxes of any image, and see it run."""
    sandbox = connect(environment)
    found = sandbox.client.inspect_image(sandbox.resolve_image(""))  # type: ignore[no-untyped-call]
    told = Runtime(
        volume=runtime_volume(),
        image=image_name(),
        architecture=str(found.get("Architecture", ""))[:40],
        engine=_architecture(sandbox),
    )
    try:
        lines = _measure(sandbox)
    except SandboxUnavailable as error:
        return told.model_copy(update={"problem": error.message})
    if len(lines) != 3 or not lines[0].split()[0].isdecimal():
        return told.model_copy(update={"problem": f"it said {lines!r:.200}"})
    return told.model_copy(update={"size": int(lines[0].split()[0]) * 1024, "python": lines[2][:40], "runs": True})


def _architecture(sandbox: DockerSandbox) -> str:
    machine = str(sandbox.client.info().get("Architecture", ""))
    return MACHINES.get(machine, machine)[:40]


def _measure(sandbox: DockerSandbox) -> list[str]:
    """Ask a box that carries the runtime in its volume, which a box that installs always does."""
    spec = BoxSpec(run="runtime", purpose="runtime", only_for_checks=True, installs=True)
    with sandbox.open(spec) as box, open_scratch() as directory:
        archive = directory / "empty.tar"
        archive.write_bytes(EMPTY_TAR)
        send_seed(box, archive, "")
        box.channel.send(Check(command=MEASURE, timeout=60.0, report=""))
        message, _ = receive(box)
    return message.output.splitlines() if isinstance(message, Checked) else []
