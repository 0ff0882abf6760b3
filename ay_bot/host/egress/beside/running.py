"""The whole of the program beside a box: the first line of its input says what to do, the end of its input ends it."""

import asyncio
import contextlib
import json
import os
import sys

from ay_bot.host.egress.beside.budget import Budget
from ay_bot.host.egress.beside.holding import Holding
from ay_bot.host.egress.beside.processes import start_program, start_squid
from ay_bot.host.egress.beside.relay import Relay
from ay_bot.host.egress.beside.telling import tell


async def main() -> None:
    """Do what the first line says until the input ends, or asks for an end."""
    start = json.loads(await _next_command())
    target = await start_program(start["program"]) if start["program"] else None
    squid = await start_squid(start["config"], start["hosts"])
    await squid.wait_ready()
    budget = Budget({"sent": start["max_sent"], "received": start["max_received"]}, start["max_connections"])
    relay = Relay(budget, start["greeting"].encode("ascii"), squid.port, loose=start["loose"])
    await relay.serve()
    tell("ready")
    ends = [asyncio.ensure_future(squid.wait()), asyncio.ensure_future(_listen(relay.holding))]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await relay.end()
    await squid.end()
    if target:
        target.cancel()
    tell("total", **budget.passed, connections=budget.connections)


async def _listen(holding: Holding) -> None:
    while holding.hear(await _next_command()):
        pass


async def _next_command() -> bytes:
    """Return the next line of the input, nothing at its end. The input stays blocking: it may be the output too."""
    return await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.readline)


def run() -> None:
    """Run, and end this process at once, whatever still waits for input."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)
