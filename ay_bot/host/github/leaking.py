"""Whether a change, or what is said about it, would carry a secret of the run to the outside."""

from collections.abc import Iterable, Sequence

from ay_bot.host.changes import VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.outputs.leaks import redactor_of
from ay_bot.host.redact.leaving import files_with


def find_leak(checkout: Checkout, patch: VerifiedPatch, words: Iterable[str], secrets: Sequence[str]) -> str:
    """Return what holds a secret: the text, or the first such file; nothing if none does.

    A file that held the same before does not count: what is in the repository already is out.
    """
    if not secrets:
        return ""
    redactor = redactor_of(tuple(secrets))
    said = "\n".join((*words, *(entry.path for entry in patch.entries)))
    if redactor.find_values(said.encode("utf-8", "surrogatepass")):
        return "the text"
    return next((f"`{path}`" for path, _ in files_with(redactor, checkout, patch)), "")
