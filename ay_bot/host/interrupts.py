"""Ctrl-C, SIGTERM and SIGHUP: they end a run in order, boxes first, wherever its main thread is."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals(first: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Raise KeyboardInterrupt for the first of them in the with block; more are ignored until the outermost one ends.

    `first` runs in a thread of its own: the main thread may wait for threads that wait for boxes, so it can't be
    the one that ends them, and it may hold a lock that ending them needs.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        for number in ENDING:  # a second Ctrl-C would cut the clean-up short
            signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=first, name="ending", daemon=True).start()
        raise KeyboardInterrupt

    former = {number: signal.signal(number, end) for number in ENDING}
    outermost = former[signal.SIGINT] in (signal.default_int_handler, signal.SIG_DFL)
    try:
        yield
    finally:
        if outermost or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            for number, handler in former.items():
                signal.signal(number, handler)
