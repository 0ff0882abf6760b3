"""Measures the channel to one box in a process of its own: `python -m benchmarks.channel_probe docker|bubblewrap`."""

import json
import sys
import time
from pathlib import Path

from benchmarks.box_stand import another_program, driver_of, spec

COUNT = 60_000
LARGE = 50_000_000
PROGRAM = f"""
from ay_bot.protocol.plain_messages import Checked, Seeded
channel.receive()
for _ in range({COUNT}): channel.send(Seeded(files=1))
for _ in range({COUNT}): channel.receive()
channel.send(Seeded(files=2))
channel.receive()
channel.send(Checked(exit_code=0, timed_out=False, seconds=0, output="", body_size={LARGE}), bytes({LARGE}))
message, body = channel.receive_streaming()
body.drain()
channel.send(Seeded(files=3))
"""


def main() -> None:
    """Measure, and print JSON."""
    from ay_bot.protocol.plain_messages import Check, Exit, Seed

    before = _peak()
    with another_program(PROGRAM), driver_of(sys.argv[1]).open(spec()) as box:
        talk = box.channel
        talk.send(Exit())
        talk.receive()  # from here on it is under way
        started = time.monotonic()
        for _ in range(COUNT - 1):
            talk.receive()
        to_host = (COUNT - 1) / (time.monotonic() - started)
        check = Check(command="true", timeout=1, report="")
        started = time.monotonic()
        for _ in range(COUNT):
            talk.send(check)
        talk.receive()
        to_box = COUNT / (time.monotonic() - started)
        started = time.monotonic()
        talk.send(check)
        _, body = talk.receive()
        large_out = time.monotonic() - started
        if len(body) != LARGE:
            sys.exit("the large message did not arrive")
        del body
        content = bytes(LARGE)
        started = time.monotonic()
        talk.send(Seed(body_size=LARGE), content)
        talk.receive()
        large_in = time.monotonic() - started
    sizes = {"before": before, "memory": _peak()}
    print(json.dumps({"to_host": to_host, "to_box": to_box, "large_out": large_out, "large_in": large_in, **sizes}))


def _peak() -> float:
    """Return the most that this program had in memory; what rusage says begins with that of the process before it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
