"""Requests that wait for the host's word: it sees the head of each before a byte of it passes."""

import asyncio
import json
from typing import Final

from ay_bot.host.egress.beside.budget import Refused
from ay_bot.host.egress.beside.telling import tell

WAIT_SECONDS: Final = 20.0


class Holding:
    """The requests whose heads the host is looking at."""

    def __init__(self) -> None:
        self._last = 0
        self._waiting: dict[int, asyncio.Future[bool]] = {}

    async def ask(self, head: bytes) -> None:
        """Return once the host lets a request pass. Raises Refused if it does not, TimeoutError if it says nothing."""
        self._last += 1
        number = self._last
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        tell("head", number=number, text=head.decode("latin-1"))
        try:
            may_pass = await asyncio.wait_for(answer, WAIT_SECONDS)
        finally:
            del self._waiting[number]
        if not may_pass:
            tell("refused", rule="leak", host="", port=0, method="")
            raise Refused("it carries what must not leave")

    def hear(self, line: bytes) -> bool:
        """Take what the host says; False if it wants an end."""
        said = json.loads(line or b"{}")
        answer = self._waiting.get(said.get("head", 0))
        if answer is not None and not answer.done():
            answer.set_result(bool(said["may_pass"]))
        return bool(said)
