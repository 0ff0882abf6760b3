"""What dead runs left behind is removed while this run has to wait anyway."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from ay_bot.errors import AyBotError, Interrupted
from ay_bot.host.boxes import Boxes
from ay_bot.host.scratch import reap_scratch


class Reaper:
    """Works in the background from `start` on, or else at the end of the with block."""

    def __init__(self, boxes: Boxes, tell: Callable[[str], None]) -> None:
        self._boxes = boxes
        self._tell = tell
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reaper")
        self._started: Future[None] | None = None

    def __enter__(self) -> Self:
        """Return the reaper, not yet started."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until it is done; whoever interrupts a run does not want to wait for more."""
        if not isinstance(error, KeyboardInterrupt | Interrupted):
            self.start()
        self._pool.shutdown(wait=True)

    def start(self) -> None:
        """Begin, unless it has begun."""
        self._started = self._started or self._pool.submit(self._reap)

    def _reap(self) -> None:
        try:
            for name in (*self._boxes.reap(), *reap_scratch()):
                self._tell(f"removed `{name}`, which a dead run had left behind")
        except AyBotError as error:
            self._tell(f"what dead runs left behind could not be removed: {error.message}")
