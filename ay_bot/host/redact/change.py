"""What a change adds that looks like somebody's key: a reason for a draft, since it may be meant."""

import re
from collections.abc import Iterator
from typing import Final

from ay_bot.host.plain_text import clean_line
from ay_bot.host.redact.redactor import Redactor

_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_NEW_NAME = re.compile(rb"^\+\+\+ (?:\"?b/)?([^\t\n]*?)\"?\t?$", re.MULTILINE)
_HUNK = re.compile(rb"^@@ ", re.MULTILINE)
MOST: Final = 20


def keys_added(diff: bytes, redactor: Redactor) -> tuple[str, ...]:
    """Return a sentence for each file of a git diff and each kind of key that its added lines hold."""
    found = (sentence for part in _FILE.split(diff)[1:] for sentence in _in_file(part, redactor))
    return tuple(sentence for sentence, _ in zip(dict.fromkeys(found), range(MOST), strict=False))


def _in_file(part: bytes, redactor: Redactor) -> Iterator[str]:
    head, *hunks = _HUNK.split(part)
    name = _NEW_NAME.search(head)
    if not name:
        return
    added = b"\n".join(line[1:] for hunk in hunks for line in hunk.split(b"\n")[1:] if line.startswith(b"+"))
    path = clean_line(name[1].decode("utf-8", "replace")).replace("`", "'")
    for each in redactor.find(added):
        what = "what looks like a key" if each.kind == "shape" else "a secret"
        yield f"`{path}` has a new line with {what} ({each.name})"
