"""The forms in which a secret is written down: folded letters and digits that a folded text is searched for."""

import base64
import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

SHORTEST: Final = 8
"""A value of fewer letters and digits is looked for only as it stands."""
WINDOW: Final = 12
LEAST_DISTINCT: Final = 4
"""A stretch of fewer different characters is no part of a secret, but a ruler or a row of zeros."""
_KEPT: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
DROPPED: Final = bytes(set(range(256)) - set(_KEPT))
LOWERED: Final = bytes(range(256)).lower()
_ARMOUR = re.compile(r"-----(?:BEGIN|END)[^-\n]{0,60}-----")
_SAME_IN_ALL_KEYS = 32
"""So much of a PEM body says what kind of key it is, and is the same in many."""
_SECRET_NAME = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """A way to write a secret, folded. A part of it counts from `least` characters on, which are about 12 of it."""

    text: bytes
    least: int


def fold(data: bytes) -> bytes:
    """Return the letters and digits of ASCII in data, in lower case."""
    return data.translate(LOWERED, DROPPED)


def parts_of(value: str) -> tuple[str, ...]:
    """Return what of a configured value is secret: the body of a PEM block, the secret members of a JSON object."""
    if _ARMOUR.search(value):
        return (_ARMOUR.sub("", value).strip()[_SAME_IN_ALL_KEYS:],)
    try:
        parsed = json.loads(value) if value.lstrip().startswith("{") else None
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        named = [text for name, text in parsed.items() if isinstance(text, str) and _SECRET_NAME.search(name)]
        return tuple(part for text in named for part in parts_of(text) if len(text) >= SHORTEST) or (value,)
    return (value,)


def forms_of(secret: str) -> tuple[Form, ...]:
    """Return every form that is looked for; short ones count as a whole, and too short ones are left out."""
    raw = secret.encode("utf-8", "surrogatepass")
    whole = len(fold(raw)) < WINDOW
    found: dict[bytes, int] = {}
    for text, least in (*_written(raw), *_written(raw[::-1]), (codecs.encode(secret, "rot13").encode(), WINDOW)):
        folded = fold(text)
        needed = len(folded) if whole or len(folded) < least else least
        if needed >= SHORTEST and len(set(folded)) >= LEAST_DISTINCT:
            found[folded] = min(needed, found.get(folded, needed))
    return tuple(Form(text, least) for text, least in found.items())


def _written(raw: bytes) -> Iterator[tuple[bytes, int]]:
    yield raw, WINDOW
    yield quote(raw, safe="").encode(), WINDOW
    yield _each(raw, "{:02x}"), 20
    yield _each(raw, "x{:02x}"), 24
    yield _each(raw, "0x{:02x}"), 28
    yield _each(raw, "u00{:02x}"), 36
    yield _each(raw, "{:d}"), 20
    yield _each(raw, "{:03o}"), 24
    for start in (0, 1):
        yield b"".join(b"%d%c" % item for item in enumerate(raw, start)), 20
    for form, least in _in_alphabets(raw):
        yield form, least
        yield form[::-1], least
    yield _each(raw, "{:02x}")[::-1], 20


def _in_alphabets(raw: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the base64 and base32 of raw at every alignment, without the characters that a neighbour changes."""
    encoders: tuple[tuple[Callable[[bytes], bytes], int, int, int], ...] = (
        (base64.b64encode, 3, 6, 14),
        (base64.b32encode, 5, 5, 16),
    )
    for encode, group, bits, least in encoders:
        for shift in range(group):
            text = encode(b"\0" * shift + raw)
            yield text[-(-8 * shift // bits) : 8 * (shift + len(raw)) // bits], least


def _each(raw: bytes, form: str) -> bytes:
    return "".join(form.format(byte) for byte in raw).encode()
