"""The one redactor: what a text holds that must not leave, and the text without it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeVar

from pydantic import BaseModel

from ay_bot.host.redact.known import KnownValues
from ay_bot.host.redact.rules import Rules

Kind = Literal["canary", "value", "shape"]
Model = TypeVar("Model", bound=BaseModel)
MARK: Final = "[redacted]"


@dataclass(frozen=True, order=True)
class Finding:
    """A span of bytes that must not leave: one of our values, a canary, or what has the shape of somebody's key."""

    start: int
    end: int
    kind: Kind
    name: str = ""
    number: int = -1
    """Which of the values, or of the canaries."""


@dataclass(frozen=True)
class Redactor:
    """Finds what must not leave. `values` are the run's secrets, `canaries` the fake ones of its boxes."""

    values: tuple[str, ...] = field(default=(), repr=False)
    canaries: tuple[str, ...] = field(default=(), repr=False)

    def find(self, data: bytes) -> tuple[Finding, ...]:
        """Return what is in data: exact values first, then shapes, where no value is."""
        exact = self.find_values(data)
        shapes = (Finding(start, end, "shape", name) for start, end, name in self._rules.find(data))
        inside = [each for each in shapes if not any(one.start <= each.start and each.end <= one.end for one in exact)]
        return tuple(sorted((*exact, *inside)))

    def find_values(self, data: bytes) -> tuple[Finding, ...]:
        """Return where our own values and canaries are, in any form."""
        return tuple(self._finding(*span) for span in self._known.find(data))

    def redact(self, text: str, mark: str = MARK) -> str:
        """Return text with a mark in place of each finding."""
        data = text.encode("utf-8", "surrogatepass")
        found = self.find(data)
        return replace(data, found, mark).decode("utf-8", "surrogatepass") if found else text

    def redact_bytes(self, data: bytes) -> bytes:
        """Return data with a mark in place of each finding."""
        return replace(data, self.find(data))

    def redact_values(self, data: bytes) -> bytes:
        """Return data with a mark in place of our own values and canaries alone."""
        return replace(data, self.find_values(data))

    def redact_all(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Return texts without findings, and without those that are cut into several of them."""
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        if not (found := self.find(b"\n".join(parts))):
            return tuple(texts)
        return tuple(part.decode("utf-8", "surrogatepass") for part in _replace_in_parts(parts, found))

    def redact_model(self, model: Model) -> Model:
        """Return a value of pydantic with every text in it redacted; the same one if nothing is found."""
        texts = tuple(texts_of(model))
        redacted = self.redact_all(texts)
        return model if redacted == texts else _changed(model, iter(redacted))

    def _finding(self, start: int, end: int, number: int) -> Finding:
        if number < len(self.values):
            return Finding(start, end, "value", "a secret of this run", number)
        return Finding(start, end, "canary", "a canary of a box", number - len(self.values))

    @cached_property
    def _known(self) -> KnownValues:
        return KnownValues((*self.values, *self.canaries))

    @cached_property
    def _rules(self) -> Rules:
        return Rules()


def replace(data: bytes, found: Iterable[Finding], mark: str = MARK) -> bytes:
    """Return data with one mark for each stretch of findings that touch."""
    parts: list[bytes] = []
    done = 0
    for start, end in joined(found):
        parts += (data[done:start], mark.encode())
        done = end
    return b"".join((*parts, data[done:]))


def joined(found: Iterable[Finding]) -> Iterator[tuple[int, int]]:
    """Yield the stretches that findings cover, overlapping ones as one."""
    start = end = -1
    for each in sorted(found):
        if each.start > end:
            if end >= 0:
                yield start, end
            start, end = each.start, each.end
        end = max(end, each.end)
    if end >= 0:
        yield start, end


def texts_of(value: object) -> Iterator[str]:
    """Yield every text in a value, in a fixed order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from texts_of(getattr(value, name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts_of(key)
            yield from texts_of(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from texts_of(each)


def _replace_in_parts(parts: Sequence[bytes], found: Sequence[Finding]) -> Iterator[bytes]:
    at = 0
    for part in parts:
        inside = [
            Finding(max(each.start - at, 0), min(each.end - at, len(part)), each.kind)
            for each in found
            if each.start < at + len(part) and each.end > at
        ]
        yield replace(part, inside)
        at += len(part) + 1


def _changed(model: Model, texts: Iterator[str]) -> Model:
    return model.model_copy(update={name: rebuilt(getattr(model, name), texts) for name in type(model).model_fields})


def rebuilt(value: object, texts: Iterator[str]) -> object:
    """Return a value with its texts replaced, in the order of `texts_of`."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, BaseModel):
        return _changed(value, texts)
    if isinstance(value, dict):
        return {rebuilt(key, texts): rebuilt(each, texts) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(rebuilt(each, texts) for each in value)
    return value


SHAPES_ALONE: Final = Redactor()
"""The redactor of whoever knows no secret."""
