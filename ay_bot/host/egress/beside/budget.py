"""The bytes and connections that may pass a box's door, counted before they pass."""

from ay_bot.host.egress.beside.telling import tell


class Refused(Exception):
    """A connection that is not carried on: the rule, and what it asked for."""

    def __init__(self, rule: str, host: str = "", port: int = 0, method: str = "") -> None:
        super().__init__(rule)
        self.asked = {"rule": rule, "host": host, "port": port, "method": method}


class Budget:
    """The bytes that may still pass, and whether somebody was told that they are spent."""

    def __init__(self, most: dict[str, int], most_connections: int) -> None:
        self.most = most
        self.passed = dict.fromkeys(most, 0)
        self.spent = ""
        self.connections = 0
        self._most_connections = most_connections

    def take(self, direction: str, size: int) -> None:
        """Count bytes before they pass. Raises Refused once there are too many."""
        if self.spent or self.passed[direction] + size > self.most[direction]:
            self._end(f"max_{direction}")
            raise Refused(self.spent)
        self.passed[direction] += size

    def connect(self) -> None:
        """Count a connection."""
        self.connections += 1
        if self.connections > self._most_connections:
            self._end("connections")
        if self.spent:
            raise Refused(self.spent)

    def _end(self, what: str) -> None:
        if not self.spent:
            self.spent = what
            tell("refused", rule=what, host="", port=0, method="")
