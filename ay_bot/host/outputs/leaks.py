"""Whether a text holds a secret that the host knows, or a part of it, in any of the forms that exfiltration takes."""

import base64
import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final

_WINDOW: Final = 12
_SHORTEST: Final = 8
_OTHER = re.compile(r"[^a-z0-9]+")


def leaks(text: str, secrets: Iterable[str]) -> bool:
    """Whether twelve characters in a row of a secret are in a text: plain, reversed, encoded, or with gaps between.

    A secret of fewer counts as a whole, and one of fewer than eight is none.
    """
    folded = _fold(text)
    for secret in secrets:
        if len(secret) < _SHORTEST:
            continue
        for form in map(_fold, _forms(secret)):
            if any(piece in folded for piece in _pieces(form)):
                return True
    return False


def _fold(text: str) -> str:
    return _OTHER.sub("", text.lower())


def _pieces(form: str) -> Iterator[str]:
    """Yield enough windows that every part of twelve characters and six more is met by one."""
    if _SHORTEST <= len(form) <= _WINDOW:
        yield form
    for start in range(len(form) - _WINDOW + 1):
        yield form[start : start + _WINDOW]


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield secret[::-1]
    yield codecs.encode(secret, "rot13")
    yield raw.hex()
    yield base64.b32encode(raw).decode().rstrip("=")
    for shift in range(3):  # what stands before a secret shifts its letters
        yield base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")[2 * bool(shift) + (shift == 2) : -2]
