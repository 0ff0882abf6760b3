"""The append-only log of a run: it numbers events, writes them to events.jsonl and hands them to the faces."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ay_bot.host.redact.redactor import SHAPES_ALONE, Redactor
from ay_bot.protocol.events import AgentEvent, HostEvent, Noticed, Phase, PhaseFinished, PhaseStarted, Record

Listener = Callable[[Record], None]


class EventLog:
    """Owns the order of a run's events. Safe to use from several threads.

    Nothing reaches the file or a face that `redactor` would not let out; one that knows more may take its place.
    """

    def __init__(self, run: str, listeners: tuple[Listener, ...] = (), redactor: Redactor = SHAPES_ALONE) -> None:
        self.run = run
        self.redactor = redactor
        self.timings: dict[str, float] = {}
        self._listeners = listeners
        self._sequence = 0
        self._file: TextIO | None = None
        self._lock = threading.Lock()

    def write_to(self, path: Path) -> None:
        """Keep the log in a file from here on, line by line."""
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def emit(self, event: HostEvent) -> None:
        """Log what the host saw."""
        with self._lock:
            self._append(
                Record(seq=self._next(), time=datetime.now(UTC).isoformat(), run=self.run, source="host", event=event)
            )

    def emit_from_agent(self, event: AgentEvent) -> None:
        """Log what the box told, which nobody has to believe."""
        with self._lock:
            self._append(
                Record(seq=self._next(), time=datetime.now(UTC).isoformat(), run=self.run, source="agent", event=event)
            )

    def notice(self, text: str) -> None:
        """Log something that a person should know."""
        self.emit(Noticed(text=text))

    @contextmanager
    def phase(self, phase: Phase, detail: str = "") -> Iterator[None]:
        """Log a phase with its duration; phases that come again (repair rounds) add up in `timings`."""
        self.emit(PhaseStarted(phase=phase, detail=detail))
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - started
            with self._lock:
                self.timings[phase] = round(self.timings.get(phase, 0.0) + seconds, 3)
            self.emit(PhaseFinished(phase=phase, seconds=round(seconds, 3)))

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _append(self, record: Record) -> None:
        record = self.redactor.redact_model(record)
        if self._file:
            self._file.write(record.model_dump_json() + "\n")
        for listener in self._listeners:
            listener(record)
