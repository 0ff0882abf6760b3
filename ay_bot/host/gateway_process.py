"""The gateway as the host sees it: a child process that holds the model keys and answers model requests.

It is started before anything else of a run, so this module imports nothing heavy until `Gateway.start` has returned.
"""

import itertools
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from ay_bot.errors import ModelFailed
    from ay_bot.protocol.channel import Channel
    from ay_bot.protocol.messages import (
        Configure,
        DescribeModels,
        GatewayReady,
        GatewayToHost,
        ModelFailure,
        ModelProgress,
        ModelReply,
        ModelRequest,
        ModelsDescribed,
    )

    Said = ModelReply | ModelFailure | ModelProgress | None

PROGRAM = "import sys; sys.path += sys.argv.pop(1).split(':'); from ay_bot.gateway.__main__ import main; main()"
"""Started without `site`: no `.pth` file and no sitecustomize can run where the keys are, whoever installed it."""
LOG_BYTES = 64 * 1024
GRACE = 2.0
SLOW = 0.2  # seconds; no model that is worth its money answers faster, and a scripted one does

PASSED_NAMES = frozenset(
    {
        "GOOGLE_APPLICATION_CREDENTIALS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "PATH",
        "LANG",
        "LC_ALL",
    }
)
PASSED_ENDS = ("_API_KEY", "_API_BASE", "_BASE_URL", "_API_VERSION")
PASSED_BEGINNINGS = ("AWS_", "AZURE_", "VERTEXAI_")
NEVER = ("GITHUB", "GITLAB", "ACTIONS_", "CI_", "RUNNER_")
SECRET_ENDS = ("_API_KEY", "_KEY", "_SECRET", "_TOKEN", "_PASSWORD", "_KEY_ID", "_CREDENTIALS")


def model_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that the gateway gets: model keys and how to connect, and nothing else."""
    return {name: value for name, value in environ.items() if _is_for_models(name.upper())}


def _is_for_models(name: str) -> bool:
    if any(part in name for part in NEVER):
        return False
    return name in PASSED_NAMES or name.endswith(PASSED_ENDS) or name.startswith(PASSED_BEGINNINGS)


def command() -> list[str]:
    """Return what starts the gateway, with the packages that this process has and nothing else on its path."""
    return [sys.executable, "-I", "-S", "-c", PROGRAM, ":".join(list_packages())]


def list_packages() -> list[str]:
    """Return what `site` added to the path: neither the current directory nor PYTHONPATH, which come before it."""
    standard = os.path.dirname(os.__file__)  # noqa: PTH120 - pathlib isn't loaded yet
    own = [at for at, place in enumerate(sys.path) if place in {standard, f"{standard}/lib-dynload"}]
    return [place for place in sys.path[max(own, default=-1) + 1 :] if place]


def start_gateway() -> "Gateway":
    """Start the gateway with this process's model keys, which this process then forgets."""
    from ay_bot.host.environment import environment, forget

    gateway = Gateway.start(environment())
    forget(name for name in model_environment(environment()) if name.upper().endswith(SECRET_ENDS))
    return gateway


class Gateway:
    """The running gateway. `ask` may be called from several threads."""

    def __init__(self, process: subprocess.Popen[bytes], secrets: tuple[str, ...]) -> None:
        self.process = process
        self._secrets = secrets
        self._log = _LogRing(process.stderr)
        self._channel: Channel[GatewayToHost] | None = None
        self._receiver: threading.Thread | None = None
        self._ready: SimpleQueue[GatewayReady | None] = SimpleQueue()
        self._described: SimpleQueue[ModelsDescribed | None] = SimpleQueue()
        self._numbers = itertools.count(1)
        self._asked: dict[int, SimpleQueue[Said]] = {}
        self._lock = threading.Lock()
        self._ended = False

    @classmethod
    def start(cls, environment: Mapping[str, str], *, plain: bool = False, facts: bool = False) -> Self:
        """Start the process, which at once begins to load litellm: all of it if `plain`, else what it needs.

        With `facts` it loads nothing but the table of models, for `describe`.
        Call it from a thread that outlives the gateway: the kernel ends the process with its parent's thread.
        """
        given = model_environment(environment)
        process = subprocess.Popen(
            [*command(), *(["--plain"] if plain else ["--facts"] if facts else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=given,
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        secrets = tuple(value for name, value in given.items() if name.upper().endswith(SECRET_ENDS) and len(value) > 5)
        return cls(process, secrets)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys that the process was given, for whoever has to keep them out of a text."""
        return self._secrets

    def configure(self, configure: "Configure") -> None:
        """Say which models are behind the roles, and what may be spent; does not wait."""
        self._open_channel()
        self._send(configure)

    def describe(self, question: "DescribeModels") -> "ModelsDescribed":
        """Ask what is known of models, of a gateway that was started for nothing else with `facts`."""
        self._open_channel()
        self._send(question)
        described = self._described.get()
        if described is None:
            raise self._failure()
        return described

    def _open_channel(self) -> None:
        from pydantic import TypeAdapter

        from ay_bot.protocol.channel import Channel
        from ay_bot.protocol.messages import GatewayToHost

        self._channel = Channel(_Pipes(self.process), TypeAdapter(GatewayToHost))
        self._receiver = threading.Thread(target=self._receive, name="gateway", daemon=True)
        self._receiver.start()

    def wait_ready(self) -> "GatewayReady":
        """Wait until the gateway takes requests."""
        ready = self._ready.get()
        self._ready.put(ready)
        if ready is None:
            raise self._failure()
        return ready

    def ask(
        self,
        request: "ModelRequest",
        on_progress: "Callable[[ModelProgress], None]" = lambda _: None,
        *,
        when_sent: Callable[[], None] = lambda: None,
        when_slow: Callable[[], None] = lambda: None,
    ) -> "ModelReply | ModelFailure":
        """Relay a request and wait for its outcome; `when_slow` is called if the model thinks for longer than SLOW."""
        number = next(self._numbers)  # the agent's own numbers could clash with each other, by accident or malice
        answers: SimpleQueue[Said] = SimpleQueue()
        with self._lock:
            if self._ended:
                raise self._failure()
            self._asked[number] = answers
        try:
            self._send(request.model_copy(update={"request_id": number}))
            when_sent()
            self.wait_ready()
            return self._wait(request.request_id, answers, on_progress, when_slow)
        finally:
            with self._lock:
                del self._asked[number]

    def _wait(
        self,
        request_id: int,
        answers: "SimpleQueue[Said]",
        on_progress: "Callable[[ModelProgress], None]",
        when_slow: Callable[[], None],
    ) -> "ModelReply | ModelFailure":
        patience: float | None = SLOW
        while True:
            try:
                said = answers.get(timeout=patience)
            except Empty:
                patience = None
                when_slow()
                continue
            if said is None:
                raise self._failure()
            renumbered = said.model_copy(update={"request_id": request_id})
            if renumbered.kind != "model_progress":
                return renumbered
            on_progress(renumbered)

    def _send(self, message: "Configure | DescribeModels | ModelRequest") -> None:
        if self._channel is None:
            msg = "configure() comes before ask()"
            raise RuntimeError(msg)
        try:
            self._channel.send(message)
        except (BrokenPipeError, ValueError):
            raise self._failure() from None

    def _receive(self) -> None:
        """Hand out what the gateway says, until it ends."""
        from ay_bot.errors import ProtocolBroken
        from ay_bot.protocol.channel import Closed

        channel = self._channel
        try:
            while channel is not None:
                self._hand_out(channel.receive()[0])
        except (Closed, ProtocolBroken, OSError, ValueError) as error:
            if isinstance(error, ProtocolBroken):
                self._log.add(f"{error}\n".encode())
        finally:
            self._tell_all_that_it_ended()

    def _hand_out(self, message: "GatewayToHost") -> None:
        if message.kind == "gateway_ready":
            self._ready.put(message)
            return
        if message.kind == "models_described":
            self._described.put(message)
            return
        with self._lock:
            answers = self._asked.get(message.request_id)
        if answers is not None:
            answers.put(message)

    def _tell_all_that_it_ended(self) -> None:
        with self._lock:
            self._ended = True
            for answers in self._asked.values():
                answers.put(None)
        self._ready.put(None)
        self._described.put(None)

    def _failure(self) -> "ModelFailed":
        from ay_bot.errors import ModelFailed
        from ay_bot.host.redact.redactor import Redactor

        self._log.drain()
        tail = Redactor(self._secrets).redact(self._log.text())
        code = self.process.poll()
        said = f" Its last words:\n{tail[-2000:]}" if tail.strip() else ""
        return ModelFailed(
            f"the gateway process ended before it answered (exit code {code}).{said}",
            hint="if this happens again with the same model, it is a bug: please report it with the text above",
        )

    def close(self) -> None:
        """End the process; requests that still run fail."""
        if self._channel is None:
            self.process.kill()  # it has only loaded things so far, and is too busy with that to notice an end
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._receiver is not None:
            self._receiver.join(GRACE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Pipes:
    """The gateway's standard input and output as one stream."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            msg = "the gateway has no pipes"
            raise RuntimeError(msg)
        self._stdin = process.stdin
        self._stdout = process.stdout

    def read(self, size: int) -> bytes:
        return self._stdout.read(size) or b""

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._stdin.fileno(), view) :]


class _LogRing:
    """The end of what the gateway wrote to standard error."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._stream = stream
        self._thread = threading.Thread(target=self._pump, name="gateway-log", daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        while self._stream is not None and (data := self._stream.read(4096)):
            self.add(data)

    def add(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        while self._size > LOG_BYTES and len(self._parts) > 1:
            self._size -= len(self._parts.popleft())

    def drain(self) -> None:
        """Wait for the last words of a process that has ended."""
        self._thread.join(GRACE)

    def close(self) -> None:
        self.drain()
        if self._stream is not None:
            self._stream.close()

    def text(self) -> str:
        return b"".join(list(self._parts)).decode("utf-8", "replace")
