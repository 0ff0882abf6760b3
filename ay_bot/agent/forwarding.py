"""The box's end of its door: what connects to 127.0.0.1 is carried to the socket of the proxy, by the first process.

A thread of the first process, which no command can end or trace. It reads nothing of what it carries.
"""

import contextlib
import selectors
import socket
import threading

from ay_bot.protocol.box_config import DOOR_SOCKET, FORWARD_PORT

CHUNK = 64 * 1024
MOST_AT_ONCE = 128


class _Way:
    """One direction of a connection: what was read and not yet written."""

    def __init__(self, source: socket.socket, target: socket.socket, *, leaving: bool) -> None:
        self.source = source
        self.target = target
        self.leaving = leaving
        self.waiting = b""
        self.ended = False

    def read(self) -> None:
        """Take what is there; OSError when the other side is gone."""
        with contextlib.suppress(BlockingIOError):
            self.waiting = self.source.recv(CHUNK)
            self.ended = not self.waiting

    def write(self) -> None:
        """Pass on what was taken; OSError when the other side is gone."""
        with contextlib.suppress(BlockingIOError):
            self.waiting = self.waiting[self.target.send(self.waiting) :]


class _Connection:
    """A command's connection and the one to the proxy."""

    def __init__(self, command: socket.socket, proxy: socket.socket) -> None:
        self.sockets = (command, proxy)
        self._out = _Way(command, proxy, leaving=True)
        self._in = _Way(proxy, command, leaving=False)
        self._said_end = False

    def carry(self, ready: socket.socket, events: int) -> bool:
        """Do what a socket is ready for; False once the connection is over."""
        for way in (self._out, self._in):
            if way.source is ready and events & selectors.EVENT_READ and not way.waiting and not way.ended:
                way.read()
            if way.waiting:
                way.write()
        if self._out.ended and not self._said_end:
            self._said_end = True
            self.sockets[1].shutdown(socket.SHUT_WR)
        return not (self._in.ended and not self._in.waiting)

    def interest(self, of: socket.socket) -> int:
        """Return what a socket is waited for."""
        reading, writing = (self._out, self._in) if of is self.sockets[0] else (self._in, self._out)
        wanted = 0 if reading.waiting or reading.ended else selectors.EVENT_READ
        return wanted | (selectors.EVENT_WRITE if writing.waiting else 0)


class Forwarder:
    """Carries connections between a listening socket and the proxy's."""

    def __init__(self, listener: socket.socket, place: str = DOOR_SOCKET) -> None:
        self._listener = listener
        self._place = place
        self._selector = selectors.DefaultSelector()
        self._open = 0

    def serve(self) -> None:
        """Serve for ever."""
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while True:
            for key, events in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fd >= 0 and isinstance(key.fileobj, socket.socket) and key.fileobj.fileno() >= 0:
                    self._carry(key.data, key.fileobj, events)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            command, _ = self._listener.accept()
            proxy = socket.socket(socket.AF_UNIX)
            try:
                if self._open >= MOST_AT_ONCE:
                    raise ConnectionRefusedError
                proxy.settimeout(0)
                command.settimeout(0)
                proxy.connect(self._place)
            except OSError:
                command.close()
                proxy.close()
                raise
            connection = _Connection(command, proxy)
            self._open += 1
            for one in connection.sockets:
                self._selector.register(one, selectors.EVENT_READ, connection)

    def _carry(self, connection: _Connection, ready: socket.socket, events: int) -> None:
        try:
            if connection.carry(ready, events):
                self._wait_for(connection)
                return
        except OSError:
            pass
        self._open -= 1
        for one in connection.sockets:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(one)
            one.close()

    def _wait_for(self, connection: _Connection) -> None:
        for one in connection.sockets:
            wanted = connection.interest(one)
            known = self._selector.get_map().get(one)
            if known is None and wanted:
                self._selector.register(one, wanted, connection)
            elif known is not None and not wanted:
                self._selector.unregister(one)
            elif known is not None and known.events != wanted:
                self._selector.modify(one, wanted, connection)


def start_forwarding() -> None:
    """Listen on the box's loopback before any command runs, and serve from now on."""
    listener = socket.create_server(("127.0.0.1", FORWARD_PORT), backlog=MOST_AT_ONCE)
    threading.Thread(target=Forwarder(listener).serve, name="forwarder", daemon=True).start()
