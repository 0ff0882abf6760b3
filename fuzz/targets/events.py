"""A line of events.jsonl, as whoever shows or replays a run reads it, and as a person sees it."""

import io

from ay_bot.host.redact.redactor import Redactor
from ay_bot.protocol.events import Record
from ay_bot.terminal import Progress
from pydantic import ValidationError

from fuzz.target import Target, recorded

REDACTOR = Redactor(("sk-proj-0123456789abcdefghij",))


def parse(data: bytes) -> None:
    """Read a record, redact it and show it: no control character reaches a terminal."""
    record = REDACTOR.redact_model(Record.model_validate_json(data))
    assert "sk-proj-0123456789abcdefghij" not in record.model_dump_json()
    screen = io.StringIO()
    with Progress(screen) as progress:
        progress(record)
    shown = screen.getvalue()
    assert not any(ord(character) < 32 and character not in "\n\t" for character in shown), repr(shown)


TARGET = Target(parse=parse, seeds=recorded("events"), shape="json", documented=(ValidationError,), longest=4096)
