"""The first bytes of a tunnel, and the first line of a request, as the proxy's side reads them from a box."""

import contextlib
import io

from ay_bot.host.egress.beside.budget import Refused
from ay_bot.host.egress.beside.client_hello import Incomplete, server_name
from ay_bot.host.egress.beside.requests import read_first_line

from fuzz.target import Target


def parse(data: bytes) -> None:
    """Read it as TLS and as the head of a request."""
    if b"\r\n" in data:
        with contextlib.redirect_stdout(io.StringIO()):  # where the relay tells the host
            method, target = read_first_line(data)
        assert method.isupper() and target.isascii() and target.isprintable() and " " not in target
    else:
        name = server_name(data)
        assert name == name.lower() and name.isascii()


def _hello(name: bytes, *, split: int = 0) -> bytes:
    entry = b"\0" + len(name).to_bytes(2, "big") + name
    names = len(entry).to_bytes(2, "big") + entry
    extensions = b"\0\x17\0\0" + b"\0\0" + len(names).to_bytes(2, "big") + names
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\2\x13\x01" + b"\1\0" + len(extensions).to_bytes(2, "big") + extensions
    message = b"\1" + len(body).to_bytes(3, "big") + body
    parts = [message[:split], message[split:]] if split else [message]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


SEEDS = [
    _hello(b"pypi.org"), _hello(b"PyPI.org", split=20), _hello(b""), _hello(b"a" * 260), b"SSH-2.0-x",
    b"GET http://pypi.org/simple/ HTTP/1.1\r\nHost: pypi.org\r\n\r\n", b"CONNECT pypi.org:443 HTTP/1.1\r\n\r\n",
    b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\nHost: x\r\n\r\n",
]  # fmt: skip
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", documented=(Incomplete, Refused, ValueError), longest=1500)
