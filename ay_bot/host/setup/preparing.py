"""What a run's boxes are made of: the image that the settings name or have built, with the set-up done once for all."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from ay_bot.errors import UsageError
from ay_bot.host.boxes import Boxes
from ay_bot.host.checkout import Checkout
from ay_bot.host.config import Settings
from ay_bot.host.egress import Door, Egress, open_egress
from ay_bot.host.event_log import EventLog
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.plain_text import clean_line
from ay_bot.host.policy.boxes import choose_archive, choose_tree
from ay_bot.host.sandbox import BoxSpec
from ay_bot.host.setup import Ground, GroundOf
from ay_bot.host.setup.building import build
from ay_bot.host.setup.context import Plan, Source
from ay_bot.host.setup.devcontainer import PLACES, Devcontainer, find_kind, parse_devcontainer, resolve
from ay_bot.host.setup.engine import CERTIFICATES, KeptImages
from ay_bot.host.setup.installing import TRUSTED_BY, bounded_layer, install, limits_for
from ay_bot.host.setup.keys import Recipe, find_key_files, scope_of
from ay_bot.protocol.box_config import KEPT_HOME

if TYPE_CHECKING:
    from ay_bot.host.sandbox.docker import DockerSandbox

MOST_TOUCHED: Final = 5


@dataclass(frozen=True)
class Preparing:
    """Where a set-up is prepared: the tree that is worked on, and the commit whose settings and Dockerfile count."""

    boxes: Boxes
    checkout: Checkout
    trusted: str
    scratch: Path
    log: EventLog
    name: str
    """What the repository is called: two of them never share an image."""
    certificates: bytes = field(default=b"", repr=False)


def read_certificates(environment: Mapping[str, str]) -> bytes:
    """Return this machine's own bundle of certificates, where a variable names one: it is behind a proxy that signs."""
    path = environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE", "")
    return Path(path).read_bytes() if path and Path(path).is_file() else b""


def name_repository(path: Path, environment: Mapping[str, str]) -> str:
    """Return what a repository is called: on a runner its name on the forge, since all are cloned to one place."""
    name = environment.get("GITHUB_REPOSITORY", "")
    return f"{environment.get('GITHUB_SERVER_URL', '')}/{name}" if name else str(path)


def named_image(settings: Settings) -> str:
    """Return the image that the engine must have already; "" where it is ours, or is built."""
    return "" if find_kind(settings.image) else settings.image


def join_commands(setup: str | tuple[str, ...]) -> str:
    """Return the set-up as one command, for a box that has to run it itself; the first that fails ends it."""
    if isinstance(setup, str):
        return setup
    return "\n".join(("set -e", *setup)) if setup else ""


def commands_of(setup: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the commands one by one."""
    return tuple(command for command in ((setup,) if isinstance(setup, str) else setup) if command.strip())


@contextmanager
def prepared(site: Preparing, settings: Settings) -> Iterator[GroundOf]:
    """Yield what tells what boxes are made of; while the with block runs, nobody prunes that. Raises UsageError."""
    from ay_bot.host.sandbox.docker import DockerSandbox

    sandbox = site.boxes.sandbox
    if not isinstance(sandbox, DockerSandbox):
        ground = _without_images(site, settings)
        yield lambda _tree: ground
        return
    with ExitStack() as held:
        with _phase(site, settings):
            preparation = _Preparation(site, settings, sandbox, held)
            preparation.run()
        yield preparation.ground_of


@contextmanager
def _phase(site: Preparing, settings: Settings) -> Iterator[None]:
    """Count the time as the image's, where there is anything to do."""
    if not settings.setup and not find_kind(settings.image):
        yield
        return
    with site.log.phase("image", "set-up"):
        yield


def _without_images(site: Preparing, settings: Settings) -> Ground:
    """Say what a wall without images can't do, and have every box run the set-up itself."""
    name = site.boxes.name
    if find_kind(settings.image):
        what = f"`image: {clean_line(settings.image)}` has to be built, and {name} boxes are not made of images"
        raise UsageError(what, hint="use a Docker engine, or leave the image out")
    setup = join_commands(settings.setup)
    if setup and settings.network.setup.is_open():
        site.log.notice(f"{name} keeps no set-up: it runs in every box, and `network.setup` is not used")
    return Ground(setup=setup)


class _Preparation:
    """The steps for one run on a Docker engine."""

    def __init__(self, site: Preparing, settings: Settings, sandbox: "DockerSandbox", held: ExitStack) -> None:
        self._site = site
        self._settings = settings
        self._sandbox = sandbox
        self._images = KeptImages(sandbox)
        self._held = held
        self._head = site.checkout.tree_of(site.checkout.repository.head)
        self._base = self._ground = Ground()
        self._commands: tuple[str, ...] = ()
        self._told = False

    def run(self) -> None:
        """Do all that is needed before the boxes of the head can be made."""
        described = self._describe()
        image = self._build(described) if described.dockerfile else described.image
        self._commands = (*described.commands, *commands_of(self._settings.setup))
        self._base = self._ground = Ground(image=image, environment=described.environment)
        if self._commands:
            self._base = Ground(image=image, environment={"HOME": KEPT_HOME, **described.environment})
            self._ground = self._set_up(self._head)

    def ground_of(self, tree: str) -> Ground:
        """Return what boxes for a tree are made of. Raises UsageError if a set-up of its own fails."""
        if not self._commands or tree == self._head:
            return self._ground
        differing = set(self._key_files(tree)) ^ set(self._key_files(self._head))
        if not differing:
            return self._ground
        if self._settings.setup_for_changes:
            return self._set_up(tree)
        if not self._told:
            self._told = True
            names = ", ".join(sorted({clean_line(path)[:100] for path, _, _ in differing})[:MOST_TOUCHED])
            what = "the tests ran with what the base's set-up installed (`setup_for_changes` sets a change up, too)"
            self._site.log.notice(f"the change differs in {names}; {what}")
        return self._ground

    # ------------------------------------------------------------- the image

    def _describe(self) -> Devcontainer:
        kind = find_kind(self._settings.image)
        if kind is None:
            return Devcontainer(image=self._settings.image)
        if kind[0] == "dockerfile":
            return Devcontainer(dockerfile=resolve(PurePosixPath(), kind[1], "`image:`"))
        for path in (kind[1],) if kind[1] else PLACES:
            content = self._site.checkout.read_file(self._site.trusted, path)
            if content is not None:
                described = parse_devcontainer(content, path)
                for notice in described.notices:
                    self._site.log.notice(notice)
                return described
        what = f"there is no {clean_line(kind[1] or ' and no '.join(PLACES))} in commit {self._site.trusted[:12]}"
        raise UsageError(what, hint="commit one, or say otherwise what boxes are made of (`image:`)")

    def _build(self, described: Devcontainer) -> str:
        plan = Plan(described.dockerfile, described.context, described.args, described.target)
        checkout, rules = self._site.checkout, PathPolicy(rules=self._settings.files)
        source = Source(checkout, choose_tree(checkout, self._site.trusted, rules))  # an image is what the agent sees
        recipe = Recipe("dockerfile", (), self._settings.network.setup, source.key_files(plan))
        key = recipe.key()
        with self._images.alone(key, self._site.log.run):
            name = self._images.find(key)
            if not name:
                context = self._site.scratch / "context.tar"
                dockerfile = source.write_context(plan, context)
                with self._door() as door, self._site.boxes.open(self._holder(door)) as holder:
                    name = build(
                        self._sandbox,
                        plan,
                        context,
                        dockerfile=dockerfile,
                        key=key,
                        repository=self._site.name,
                        holder=holder.name,
                        environment=door.environment,
                        seconds=self._settings.setup_timeout,
                        tell=self._site.log.emit,
                    )
                context.unlink()
            self._hold(name)
        self._images.prune()
        return name

    def _holder(self, door: Egress) -> BoxSpec:
        """Return the box whose loopback the steps of a build share: its first process passes on to the door."""
        limits = limits_for(self._settings.setup_timeout)
        return BoxSpec(
            run=self._site.log.run, purpose="build", only_for_checks=True, limits=limits, door=_door_of(door)
        )

    # ------------------------------------------------------------- the set-up

    def _set_up(self, tree: str) -> Ground:
        checkout = self._site.checkout
        recipe = Recipe(
            image=self._sandbox.resolve_image(self._base.image),
            commands=self._commands,
            network=self._settings.network.setup,
            files=self._key_files(tree) + self._hidden(),
            environment=self._base.environment,
            scope=scope_of(tree, checkout.tree_of(self._site.trusted)),
            repository=self._site.name,
        )
        key = recipe.key()
        name = self._images.find(key)
        if not name:
            with self._images.alone(key, self._site.log.run):
                name = self._images.find(key) or self._install(tree, key)
                self._hold(name)
            self._images.prune()
        else:
            self._hold(name)
        return self._base.model_copy(update={"image": name})

    def _key_files(self, tree: str) -> tuple[tuple[str, str, str], ...]:
        return find_key_files(self._site.checkout.list_files(tree), self._commands)

    def _hidden(self) -> tuple[tuple[str, str, str], ...]:
        rules = (rule for rule in self._settings.files if rule.read == "deny")
        return tuple(("hidden", "", rule.model_dump_json()) for rule in rules)

    def _install(self, tree: str, key: str) -> str:
        site, seconds, image = self._site, self._settings.setup_timeout, self._base.image
        archive = self._write_tree(tree)
        started = time.monotonic()
        with self._door() as door:
            spec = BoxSpec(
                run=site.log.run,
                purpose="setup",
                only_for_checks=True,
                installs=True,
                image=image,
                limits=limits_for(seconds),
                environment=self._base.environment,
                door=_door_of(door),
            )
            with site.boxes.open(spec) as box, bounded_layer(box, self._images):
                extra = {**door.environment, **self._put_certificates(box.name, door)}
                kept = install(box, archive, self._commands, extra, seconds, site.log.emit)
                name = self._images.keep(box.name, key, repository=site.name, base=image or "ay-bot's own")
        self._tell(kept.touched, kept.touched_in_all)
        took = f"set up in {time.monotonic() - started:.0f} s"
        site.log.notice(f"{took} and kept as {name}: {kept.files} files, {kept.size >> 20} MiB beside the image's own")
        return name

    def _write_tree(self, tree: str) -> Path:
        """Write a tree: of the head what the agent may see, or what is made of it would tell of the rest."""
        directory = self._site.scratch / f"setup-{tree}"
        directory.mkdir(exist_ok=True)
        archive = directory / "setup.tar"
        self._site.checkout.archive(tree, archive)
        if tree != self._head:
            return archive
        return choose_archive(self._site.checkout, archive, PathPolicy(rules=self._settings.files))

    def _put_certificates(self, box: str, door: Egress) -> dict[str, str]:
        """Hand the box this machine's certificates where it has a bundle of its own, and return what says so."""
        if not self._site.certificates or not door.environment:
            return {}
        self._images.put_certificates(box, self._site.certificates)
        return dict.fromkeys(TRUSTED_BY, CERTIFICATES)

    def _tell(self, touched: tuple[str, ...], in_all: int) -> None:
        if in_all:
            names = ", ".join(clean_line(name)[:100] for name in touched[:MOST_TOUCHED])
            more = f" and {in_all - MOST_TOUCHED} more" if in_all > MOST_TOUCHED else ""
            self._site.log.notice(f"the set-up changed files of the repository, and that is not kept: {names}{more}")

    def _hold(self, name: str) -> None:
        self._held.enter_context(self._images.hold(name, self._site.log.run))

    def _door(self) -> AbstractContextManager[Egress]:
        boxes, settings = self._site.boxes, self._settings
        return open_egress(
            settings.network.setup,
            boxes,
            run=self._site.log.run,
            where="setup",
            wall=limits_for(settings.setup_timeout).wall,
            tell=boxes.attempts.hear("setup"),
            overhear=boxes.attempts.overhear,
        )


def _door_of(door: Egress) -> Door | None:
    return door.door if door.environment else None
