"""The beginning of a connection through a box's door: one request that can be read in one way alone, and its TLS."""

import asyncio
import re
from typing import Final

from ay_bot.host.egress.beside.budget import Refused
from ay_bot.host.egress.beside.client_hello import Incomplete, server_name
from ay_bot.host.egress.beside.telling import tell

CHUNK: Final = 128 * 1024
LONGEST_HEAD: Final = 32 * 1024
LONGEST_HELLO: Final = 64 * 1024
IDLE_SECONDS: Final = 600.0
FIRST_LINE: Final = re.compile(rb"([A-Z]{3,16}) ([!-~]{1,16384}) HTTP/1\.[01]\r\n")
CONNECT_TARGET: Final = re.compile(rb"([A-Za-z0-9._-]{1,253}):([0-9]{1,5})")


async def read_hello(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return the name that a TLS client asks for ("" for none), and all that was read until it was known."""
    start = b""
    while len(start) < LONGEST_HELLO and (more := await asyncio.wait_for(reader.read(CHUNK), IDLE_SECONDS)):
        start += more
        try:
            return server_name(start), start
        except Incomplete:
            continue
        except ValueError:
            break
    return "", start


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of a request. Raises Refused."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        tell("refused", rule="form", host="", port=0, method="")
        raise Refused("the head of the request is too long") from None


def read_first_line(head: bytes) -> tuple[str, str]:
    """Return the method and the target. Raises Refused for a line that somebody else might read in another way."""
    found = FIRST_LINE.match(head)
    lone = head.replace(b"\r\n", b"")
    if (
        not found
        or b"\n" in lone
        or b"\r" in lone
        or (found[1] == b"CONNECT" and not CONNECT_TARGET.fullmatch(found[2]))
    ):
        shown = head.partition(b"\r\n")[0][:200].decode("ascii", "backslashreplace")
        tell("refused", rule="form", host=shown, port=0, method="")
        raise Refused("this is no request for a proxy: METHOD http://HOST/… HTTP/1.1, or CONNECT HOST:443 HTTP/1.1")
    return found[1].decode(), found[2].decode()


async def answer(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    """Answer a request in words."""
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    await writer.drain()
