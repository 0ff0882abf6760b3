"""Whether a change, or what is said about it, would carry a secret of the run to the outside."""

from collections.abc import Iterable, Sequence

from ay_bot.host.changes import VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.outputs.leaks import leaks


def find_leak(checkout: Checkout, patch: VerifiedPatch, words: Iterable[str], secrets: Sequence[str]) -> str:
    """Return what holds a secret: the text, or the first such file; nothing if none does.

    A file that held the same before does not count: what is in the repository already is out.
    """
    if not secrets:
        return ""
    paths = [entry.path.encode() for entry in patch.entries]
    if leaks("\n".join((*words, *(entry.path for entry in patch.entries))), secrets):
        return "the text"
    before, after = checkout.read_files(patch.base, paths), checkout.read_files(patch.tree, paths)
    for path, content in after.items():
        held = [secret for secret in secrets if leaks(content.decode("latin-1"), [secret])]
        if held and not leaks(before.get(path, b"").decode("latin-1"), held):
            return f"`{path.decode()}`"
    return ""
