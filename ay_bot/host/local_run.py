"""A run started by hand: it gives the pipeline a log, an output directory and a gateway, and leaves its files."""

import secrets
from contextlib import nullcontext

from ay_bot.host.event_log import EventLog, Listener
from ay_bot.host.findings import Order
from ay_bot.host.gateway_process import Gateway, start_gateway
from ay_bot.host.interrupts import ended_by_signals
from ay_bot.host.output import OutputDirectory
from ay_bot.host.pipeline import run
from ay_bot.host.report import Result


def run_locally(order: Order, listener: Listener, gateway: Gateway | None) -> tuple[Result, bytes]:
    """Carry out an order, write the files of `out`, and return the result and the diff."""
    output = OutputDirectory(order.out) if order.out else None
    log = EventLog(secrets.token_hex(6), (listener,))
    if output:
        log.write_to(output.events)
    with ended_by_signals(), nullcontext(gateway) if gateway or order.given else start_gateway() as running:
        result, diff = run(order, log, running, output)
        log.close()
        if output:
            output.write(result, diff)
    return result, diff
