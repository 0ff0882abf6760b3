"""What attacks on a door aim at: name servers and web servers on loopback beside the proxy, which print what comes.

It runs alone beside the proxy, as `python3 -I -S -B -c SOURCE`: only the standard library.
"""

import contextlib
import re
import socket
import struct
import sys
import threading
import time
from typing import Final

PUBLIC: Final = "127.9.0.1"
PRIVATE: Final = "127.9.0.2"
RESOLVER: Final = "127.9.0.53"
PORTS: Final = (80, 443, 8022)
LONGEST: Final = 128 * 1024
ADDRESSES: Final = {
    "open.example": (PUBLIC,),
    "write.open.example": (PUBLIC,),
    "inner.example": (PRIVATE,),
    "loopback.example": ("127.0.0.1",),
    "metadata.example": ("169.254.169.254",),
    "mixed.example": (PUBLIC, PRIVATE),
}
REBINDING: Final = "rebind.example"
_asked: dict[str, int] = {}
_lock = threading.Lock()


def say(text: str) -> None:
    """Tell the relay of something."""
    with _lock:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def name_of(question: bytes) -> str:
    """Return the name that a question of the DNS is for."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
        at += 1 + question[at]
    return ".".join(labels).lower()


def addresses_of(name: str) -> tuple[str, ...]:
    """Return what a name stands for; one name stands for something else from the second time on."""
    if name.endswith(REBINDING):
        with _lock:
            _asked[name] = _asked.get(name, 0) + 1
            return (PUBLIC,) if _asked[name] == 1 else (PRIVATE,)
    return ADDRESSES.get(name, (PRIVATE,))


def answer(question: bytes) -> bytes:
    """Return the answer to a question of the DNS, which nobody may keep."""
    name = name_of(question)
    end = question.index(0, 12) + 5
    kind = struct.unpack_from(">H", question, end - 4)[0]
    say(f"asked {name}")
    records = addresses_of(name) if kind == 1 else ()
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(one) for one in records)
    return question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0) + question[12:end] + body


def serve_names() -> None:
    """Answer on the name server's address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((RESOLVER, 53))

    def loop() -> None:
        while True:
            with contextlib.suppress(OSError, IndexError, ValueError, struct.error):
                question, who = server.recvfrom(4096)
                server.sendto(answer(question), who)

    threading.Thread(target=loop, daemon=True).start()


def serve_web(address: str, port: int) -> None:
    """Print what comes to a port, and answer it."""
    server = socket.create_server((address, port), backlog=128)

    def loop() -> None:
        while True:
            client, _ = server.accept()
            threading.Thread(target=_talk, args=(client, f"{address}:{port}"), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


def _talk(client: socket.socket, where: str) -> None:
    with client, contextlib.suppress(OSError):
        client.settimeout(20)
        while data := client.recv(LONGEST):
            said = data.replace(b"\0", b"").decode("latin-1")
            say(f"arrived {where} {said!a}")
            wanted = re.match(rb"[A-Z]+ /(redirect/|bytes/)(\S*)", data)
            if wanted and wanted[1] == b"redirect/":
                place = b"Location: http://" + wanted[2]
                client.sendall(b"HTTP/1.1 302 Found\r\n" + place + b"\r\nContent-Length: 0\r\n\r\n")
            elif wanted:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % int(wanted[2]))
                client.sendall(bytes(int(wanted[2])))
            else:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nwelcome\n")


def main() -> None:
    """Serve until the relay ends."""
    serve_names()
    for address in (PUBLIC, PRIVATE):
        for port in PORTS:
            serve_web(address, port)
    say("ready")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
