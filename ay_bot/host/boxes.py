"""All boxes of one run: it opens them through a driver, remembers them, and can end them all at once."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from ay_bot.errors import AyBotError, BudgetSpent, Interrupted
from ay_bot.host.egress.attempts import Attempts
from ay_bot.host.egress.sidecar import Sidecar, SidecarSpec
from ay_bot.host.event_log import EventLog
from ay_bot.host.sandbox import Box, BoxSpec, DriverName, Sandbox
from ay_bot.host.sandbox.guarantees import Weakness
from ay_bot.protocol.events import BoxOpened


class Boxes:
    """A Sandbox that tracks what it opened.

    `environment` is added to that of the commands in every box.
    After `stop` no box runs and none can be opened, and `and_then` was called; `reason` says why.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        log: EventLog,
        and_then: Callable[[], None] = lambda: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name: DriverName = sandbox.name
        self._sandbox = sandbox
        self._log = log
        self._and_then = and_then
        self._environment = dict(environment or {})
        self.attempts = Attempts(log, self.stop)
        self._running: set[Box] = set()
        self._stopped = False
        self.reason: AyBotError | None = None
        self._lock = threading.Lock()

    @property
    def log(self) -> EventLog:
        """The log of the run whose boxes these are."""
        return self._log

    @property
    def sandbox(self) -> Sandbox:
        """The driver itself, for what is no box."""
        return self._sandbox

    def resolve_image(self, image: str) -> str:
        """Return the digest of `image`; see Sandbox."""
        return self._sandbox.resolve_image(image)

    def weaknesses(self) -> tuple[Weakness, ...]:
        """Return what this wall can't give; see Sandbox."""
        return self._sandbox.weaknesses()

    def reap(self) -> list[str]:
        """Remove what dead runs left behind; see Sandbox."""
        return self._sandbox.reap()

    def open_sidecar(self, spec: SidecarSpec) -> AbstractContextManager[Sidecar]:
        """Start the relay of a door; see Sandbox."""
        return self._sandbox.open_sidecar(spec)

    def open(self, spec: BoxSpec) -> AbstractContextManager[Box]:
        """Open a box; see Sandbox. Raises the reason given to `stop` once that was called."""
        return self._open(spec)

    @contextmanager
    def _open(self, spec: BoxSpec) -> Iterator[Box]:
        self.check()
        if not spec.installs:  # what it installs may outlive the run, and the run's variables in it would, too
            spec = spec.model_copy(update={"environment": {**spec.environment, **self._environment}})
        with self._sandbox.open(spec) as box:
            with self._lock:
                self._running.add(box)
            try:
                self.check()
                self._log.emit(BoxOpened(purpose=spec.purpose, box=box.name, image=box.image))
                yield box
            finally:
                with self._lock:
                    self._running.discard(box)

    def check(self) -> None:
        """Raise why the run was stopped, if it was."""
        if self._stopped:
            raise self.reason or Interrupted("the run was stopped")

    def stop(self, reason: AyBotError | None = None) -> None:
        """End every box now, from any thread; what the first call gave as reason is kept."""
        with self._lock:
            if not self._stopped:  # what fails afterwards fails because of the stop
                self.reason = reason
            self._stopped = True
            running = tuple(self._running)
        for box in running:
            box.kill()
        self._and_then()


@contextmanager
def ended_in_time(boxes: Boxes, seconds: float) -> Iterator[None]:
    """End every box when the run's time is up, and raise BudgetSpent out of the with block."""
    spent = BudgetSpent(f"the run did not end within {seconds:.0f} s", hint="give it more time with `--timeout`")
    timer = threading.Timer(seconds, boxes.stop, (spent,))
    timer.daemon = True
    timer.start()
    try:
        yield
    except AyBotError:
        if boxes.reason:  # a box that was ended on purpose only looks broken
            raise boxes.reason from None
        raise
    finally:
        timer.cancel()
        boxes.stop()


@contextmanager
def ended_after(box: Box, seconds: float) -> Iterator[None]:
    """End the box from outside if it does not end by itself: the limit inside is kept by what runs inside."""
    timer = threading.Timer(seconds, box.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
