"""Boxes that a Docker engine makes: the one module that talks to an engine."""

import contextlib
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from ay_bot.errors import AyBotError, ImageUnavailable, SandboxUnavailable
from ay_bot.host.image import REPOSITORY, image_name, runtime_volume
from ay_bot.host.owner import is_alive, this_process
from ay_bot.host.runtime import PREFIX
from ay_bot.host.sandbox import BoxSpec, DriverName
from ay_bot.host.sandbox.attached import AttachedSocket
from ay_bot.host.sandbox.box import RunningBox
from ay_bot.host.sandbox.box_image import SECONDS, TARGET, base_of, find_sources, open_context, require_built
from ay_bot.host.sandbox.ending import explain_ending
from ay_bot.host.sandbox.engine import START_ENGINE, find_engine, knock
from ay_bot.host.sandbox.inspection import LIMITS, Container
from ay_bot.host.sandbox.policy import (
    OWNER_LABEL,
    RUN_LABEL,
    SHARED_MEMORY,
    Image,
    creation,
    inspection_plan,
    is_abandoned,
    new_uid,
    plan,
    tmpfs,
)
from ay_bot.host.sandbox.self_check import differences, require_none
from ay_bot.host.sandbox.stream import BoxStream

if TYPE_CHECKING:
    from docker import APIClient

ENGINE_TIMEOUT: Final = 60
NETWORK_LABEL: Final = "ay.redteam"
CAPS: Final = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "processor time"}


class DockerSandbox:
    """Boxes are containers without network, rights or disk, made of any image that the engine has."""

    name: DriverName = "docker"

    def __init__(self, client: "APIClient", certificates: str = "") -> None:
        self._client = client
        self._certificates = certificates
        finalize(self, client.close)
        self._images: dict[str, Image] = {}
        self._runtime_is_ready = False

    def resolve_image(self, image: str) -> str:
        """Return the digest of `image`, or of our own for ""."""
        return self._inspect(image).digest

    def weaknesses(self) -> tuple[str, ...]:
        """Return what this engine does not cap: one without rights to control groups ignores limits silently."""
        missing = self._uncapped()
        return (f"not capped by this Docker engine: {', '.join(missing)}",) if missing else ()

    def _uncapped(self) -> list[str]:
        from docker.errors import DockerException

        try:
            described = self._client.info()
        except (DockerException, OSError) as error:
            raise _engine_failed("describe itself", error) from error
        return [what for name, what in CAPS.items() if not described.get(name, False)]

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[RunningBox]:
        """Make a box, wait for its Hello, and remove it at the end."""
        from docker.errors import DockerException

        image = self._inspect(spec.image)
        try:
            if not image.is_ours:
                self._fill_runtime()
            uid = new_uid()
            container = self._create(spec, image, uid)
        except (DockerException, OSError) as error:
            raise _engine_failed("make a box", error) from error
        try:
            self._inspect_box(container, spec, image, uid)
            with self._connected(container) as transport:
                stream = BoxStream(transport, lambda: self._explain(container, spec, transport))
                try:
                    self._start(container)
                    box = RunningBox(container[:12], image.digest, stream)
                    box.wait_for_hello()
                    self._check_from_within(box, image, uid)
                    yield box
                finally:
                    stream.end()
        finally:
            self._remove(container)

    def reap(self) -> list[str]:
        """Remove the boxes of owners that are dead, and those that are overdue."""
        from docker.errors import DockerException

        removed = []
        try:
            found = self._client.containers(all=True, filters={"label": RUN_LABEL})
        except (DockerException, OSError) as error:
            raise _engine_failed("list its boxes", error) from error
        for container in found:
            labels = container["Labels"]
            if is_abandoned(labels, now=time.time(), alive=is_alive(labels.get(OWNER_LABEL, ""))):
                self._remove(container["Id"])
                removed.append(container["Id"][:12])
        return removed + self._remove_old_networks() + self._remove_old_runtimes()

    @contextmanager
    def own_network(self) -> Iterator[tuple[str, str]]:
        """Make a network without a way out, yield its name and its gateway, and remove it: a target for experiments."""
        from docker.errors import DockerException

        name = f"{NETWORK_LABEL.replace('.', '-')}-{secrets.token_hex(4)}"
        labels = {NETWORK_LABEL: name, OWNER_LABEL: this_process()}
        try:
            self._client.create_network(name, driver="bridge", internal=True, labels=labels)
            described = self._client.inspect_network(name)
        except (DockerException, OSError) as error:
            raise _engine_failed("make a network", error) from error
        try:
            yield name, str(described["IPAM"]["Config"][0]["Gateway"])
        finally:
            with contextlib.suppress(DockerException, OSError):
                self._client.remove_network(name)

    def _inspect(self, name: str) -> Image:
        from docker.errors import DockerException, ImageNotFound

        if name not in self._images:
            wanted = name or image_name()
            if not name:
                self._make_own_image(wanted)
            try:
                found = self._client.inspect_image(wanted)  # type: ignore[no-untyped-call]
            except ImageNotFound:
                hint = f"pull it first: docker pull {name}" if name else "build it: make image"
                msg = f"the image {wanted} is not on this Docker engine"
                raise ImageUnavailable(msg, hint=hint) from None
            except (DockerException, OSError) as error:
                raise _engine_failed(f"describe the image {wanted}", error) from error
            config = found["Config"]
            self._images[name] = Image(
                digest=found["Id"],
                environment=tuple(config.get("Env") or ()),
                volumes=tuple(config.get("Volumes") or ()),
                is_ours=image_name() in (wanted, *(found.get("RepoTags") or ())),
            )
        return self._images[name]

    def _make_own_image(self, name: str) -> None:
        """Build our own image if it is missing and this is the bot's image, which carries the sources."""
        from docker.errors import DockerException

        source = find_sources()
        if source is None:
            return
        try:
            if self._client.images(name, quiet=True):
                return
            with open_context(source, self._certificates) as context:
                said = self._client.build(
                    fileobj=context,
                    custom_context=True,
                    target=TARGET,
                    tag=name,
                    buildargs={"BASE": base_of(source)},
                    rm=True,
                    forcerm=True,
                    decode=True,
                    timeout=SECONDS,
                )
                require_built(said, name)
        except (DockerException, OSError) as error:
            raise _engine_failed(f"build the image {name}", error) from error

    def _create(self, spec: BoxSpec, image: Image, uid: int) -> str:
        host = self._client.create_host_config(**self._host_settings(spec, image, uid))
        created = self._client.create_container(**self._container_settings(spec, image, uid), host_config=host)
        return str(created["Id"])

    def _container_settings(self, spec: BoxSpec, image: Image, uid: int) -> dict[str, Any]:
        """Return what runs in the box, and how it is attached, in the SDK's terms."""
        return {
            **creation(spec, image, uid),
            "working_dir": "/",
            "hostname": "box",
            "stdin_open": True,
            "tty": False,
            "detach": False,  # the engine closes the box's input when this process is gone
            "network_disabled": True,
            "healthcheck": {"test": ["NONE"]},
            "stop_signal": "SIGKILL",
        }

    def _host_settings(self, spec: BoxSpec, image: Image, uid: int) -> dict[str, Any]:
        """Return the wall, in the SDK's terms."""
        from docker.types import LogConfig, Mount, Ulimit

        limits = spec.limits
        runtime = Mount(target=PREFIX, source=runtime_volume(), type="volume", read_only=True)
        return {
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "init": False,
            "ipc_mode": "private",
            "auto_remove": True,
            "log_config": LogConfig(type="none"),
            "pids_limit": limits.pids,
            "mem_limit": limits.memory,
            "memswap_limit": limits.memory,
            "nano_cpus": int(limits.cpus * 1e9),
            "oom_score_adj": 500,
            "shm_size": SHARED_MEMORY,
            "ulimits": [
                Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="fsize", soft=limits.file_size, hard=limits.file_size),
            ],
            "tmpfs": tmpfs(limits, uid, image.volumes),
            "mounts": [] if image.is_ours else [runtime],
        }

    def _inspect_box(self, container: str, spec: BoxSpec, image: Image, uid: int) -> None:
        """Have the engine say what it made, before it starts, and compare it with the policy item by item."""
        from docker.errors import DockerException

        try:
            said = Container(self._client.inspect_container(container))
            found = said.differences(inspection_plan(spec, image, uid))
            if any(limit in item for item in found for limit in LIMITS):
                found = said.differences(inspection_plan(spec, image, uid), uncapped=self._uncapped())
        except (DockerException, OSError) as error:
            raise _engine_failed("describe the box", error) from error
        require_none(found, "outside")

    def _check_from_within(self, box: RunningBox, image: Image, uid: int) -> None:
        require_none(differences(box.hello.observed, plan(image, uid)), "within")

    @contextmanager
    def _connected(self, container: str) -> Iterator[AttachedSocket]:
        """Attach to a container, before it starts so that no output is lost."""
        from docker.errors import DockerException

        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        try:
            attached = self._client.attach_socket(container, streams)
        except (DockerException, OSError) as error:
            raise _engine_failed("attach to the box", error) from error
        raw = getattr(attached, "_sock", attached)
        if not isinstance(raw, socket.socket):
            msg = f"the engine is reached over a {type(raw).__name__}, which can't be shut in the middle of a stream"
            raise SandboxUnavailable(msg, hint="set DOCKER_HOST to a unix socket, a TCP or a TLS address")
        raw.settimeout(None)
        with closing(attached), raw:
            yield AttachedSocket(raw)

    def _start(self, container: str) -> None:
        from docker.errors import DockerException

        try:
            self._client.start(container)
        except (DockerException, OSError) as error:
            raise _engine_failed("start the box", error) from error

    def _explain(self, container: str, spec: BoxSpec, transport: AttachedSocket) -> None:
        """Raise why a box ended by itself."""
        status, out_of_memory = self._last_events(container)
        explain_ending(status, transport.errors.text(), spec.limits, out_of_memory=out_of_memory)

    def _last_events(self, container: str) -> tuple[int | None, bool]:
        """Return the exit code of a box that ended, and whether it ran out of memory; the engine remembers both."""
        from docker.errors import DockerException

        out_of_memory = False
        filters = {"container": container, "event": ["oom", "die"]}
        with contextlib.suppress(DockerException, OSError):
            until = int(time.time()) + 3
            with closing(self._client.events(since=1, until=until, filters=filters, decode=True)) as events:
                for event in events:
                    if event["Action"] == "oom":
                        out_of_memory = True
                    elif event["Action"] == "die":
                        return int(event["Actor"]["Attributes"].get("exitCode", "1")), out_of_memory
        return None, out_of_memory

    def _remove(self, container: str) -> None:
        from docker.errors import DockerException

        with contextlib.suppress(DockerException, OSError):  # gone, going, or found by the next reap
            self._client.remove_container(container, v=True, force=True)

    def _fill_runtime(self) -> None:
        """Have the engine copy our runtime into its volume, as it does for an empty one that a new container gets."""
        from docker.types import Mount

        if self._runtime_is_ready:
            return
        volume = Mount(target=PREFIX, source=runtime_volume(), type="volume", labels={"ay.runtime": runtime_volume()})
        created = self._client.create_container(
            image=self._inspect("").digest,
            entrypoint=[f"{PREFIX}/bin/python3"],
            host_config=self._client.create_host_config(network_mode="none", mounts=[volume]),
        )
        self._remove_filler(str(created["Id"]))
        self._runtime_is_ready = True

    def _remove_filler(self, container: str) -> None:
        self._client.remove_container(container, force=True)

    def _remove_old_networks(self) -> list[str]:
        from docker.errors import DockerException

        removed = []
        with contextlib.suppress(DockerException, OSError):
            for network in self._client.networks(filters={"label": NETWORK_LABEL}):
                if not is_alive(network["Labels"].get(OWNER_LABEL, "")):
                    self._client.remove_network(network["Id"])
                    removed.append(str(network["Name"]))
        return removed

    def _remove_old_runtimes(self) -> list[str]:
        from docker.errors import DockerException

        removed = []
        with contextlib.suppress(DockerException, OSError):
            found = self._client.volumes(filters={"label": "ay.runtime"})["Volumes"] or []
            for name in (volume["Name"] for volume in found):
                if name != runtime_volume() and name.startswith(f"{REPOSITORY}-runtime-"):
                    with contextlib.suppress(DockerException):  # in use by a run of another version
                        self._client.remove_volume(name)
                        removed.append(name)
        return removed


def connect(environment: Mapping[str, str]) -> DockerSandbox:
    """Return a driver for the engine that answers, or raise SandboxUnavailable."""
    address = find_engine(environment)
    if address is None:
        msg = "no Docker engine: there is no socket where one would listen, and DOCKER_HOST is not set"
        raise SandboxUnavailable(msg, hint=START_ENGINE)
    knock(address)
    from docker import APIClient
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    settings = kwargs_from_env({**environment, "DOCKER_HOST": address})
    certificates = environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE", "")
    try:
        return DockerSandbox(APIClient(version="auto", timeout=ENGINE_TIMEOUT, **settings), certificates)
    except (DockerException, OSError) as error:
        msg = f"no Docker engine answers at {address}: {error}"
        raise SandboxUnavailable(msg, hint=START_ENGINE) from error


def _engine_failed(what: str, error: Exception) -> AyBotError:
    if isinstance(error, AyBotError):
        return error
    return SandboxUnavailable(f"the Docker engine could not {what}: {error}", hint="the engine's log says more")
