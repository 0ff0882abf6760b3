"""The fast-import stream that turns one tree into another: raw bytes in, no work tree, no filters, no attributes."""

from collections.abc import Sequence
from typing import NamedTuple


class TreeChange(NamedTuple):
    """What a path shall be: `mode` None means gone; else new `content`, or the blob that `object_id` names."""

    path: bytes
    mode: str | None
    content: bytes | None = None
    object_id: str | None = None


def build_stream(ref: str, base_tree: str, changes: Sequence[TreeChange]) -> bytes:
    """Return the stream that makes `ref` a commit of `base_tree` with `changes`. Removals come first."""
    parts: list[bytes] = []
    for mark, change in enumerate(changes, 1):
        if change.content is not None:
            parts.append(b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(change.content), change.content))
    parts.append(b"commit %s\ncommitter ay-bot <> 0 +0000\ndata 0\n" % ref.encode())
    parts.append(b'M 040000 %s ""\n' % base_tree.encode())
    parts.extend(b"D %s\n" % _quote(change.path) for change in changes if change.mode is None)
    for mark, change in enumerate(changes, 1):
        if change.mode is not None:
            blob = f":{mark}" if change.content is not None else change.object_id or ""
            parts.append(b"M %s %s %s\n" % (change.mode.encode(), blob.encode(), _quote(change.path)))
    parts.append(b"\ndone\n")
    return b"".join(parts)


def _quote(path: bytes) -> bytes:
    """C-style, the one form in which fast-import takes any bytes."""
    return b'"%s"' % b"".join(_escape(byte) for byte in path)


def _escape(byte: int) -> bytes:
    plain = 0x20 <= byte < 0x7F and byte not in b'"\\'
    return bytes([byte]) if plain else b"\\%03o" % byte
