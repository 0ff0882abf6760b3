"""A loopback GitHub as a process of its own: `python -m tests.loopback_github --port 8080 --state DIR`."""

import argparse
import signal
import threading
from pathlib import Path

from tests.loopback_github.server import LoopbackGitHub


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="an empty directory for the repositories")
    parser.add_argument("--name", action="append", default=[], help="speak TLS; a host name for the certificate")
    chosen = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with LoopbackGitHub(chosen.state, chosen.host, chosen.port, names=chosen.name) as github:
        print(github.url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
