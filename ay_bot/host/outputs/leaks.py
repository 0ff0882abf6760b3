"""Whether a text holds a secret that the host knows, or a part of it, in any of the forms that exfiltration takes."""

from collections.abc import Iterable
from functools import lru_cache

from ay_bot.host.redact.redactor import Redactor


def leaks(text: str, secrets: Iterable[str]) -> bool:
    """Whether twelve characters in a row of a secret are in a text: plain, reversed, encoded, or with gaps between.

    A secret of fewer counts as a whole; see docs/redact.md.
    """
    return bool(redactor_of(tuple(secrets)).find_values(text.encode("utf-8", "surrogatepass")))


@lru_cache(maxsize=4)
def redactor_of(secrets: tuple[str, ...]) -> Redactor:
    """Return the redactor that knows these secrets; to make one takes some milliseconds."""
    return Redactor(secrets)
