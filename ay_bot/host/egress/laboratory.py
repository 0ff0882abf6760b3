"""What tests and experiments may change about a proxy, and no setting can: names and private addresses of their own."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Final, NamedTuple

from pydantic import Field, field_validator

from ay_bot.host.egress.rules import find_name_fault
from ay_bot.protocol.conversation import Value

HOSTS_FILE: Final = "/tmp/hosts"  # noqa: S108 - of the proxy's own box
NO_HOSTS: Final = "/dev/null"
_PAIR: Final = re.compile(r"([0-9.]{7,15}):([1-9][0-9]{0,4})")


class Pair(NamedTuple):
    """An address and a port that are asked although they are private."""

    address: str
    port: int


class Laboratory(Value):
    """The surroundings of an experiment. In the ordinary way all of it is empty."""

    let_through: tuple[str, ...] = ()
    """Exact `address:port` pairs (IPv4) that are asked although they are private, in plain http and by CONNECT."""
    names: dict[str, str] = {}
    """Names with their addresses, so that no server has to be asked."""
    nameservers: tuple[str, ...] = ()
    """Who is asked for all other names."""
    program: Annotated[str, Field(max_length=64 * 1024)] = ""
    """A Python program that runs beside the proxy, as its target; with it, the proxy's side has loopback alone."""

    @field_validator("let_through")
    @classmethod
    def _check_pairs(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            found = _PAIR.fullmatch(text)
            if not found:
                raise ValueError(f"`{text}` is no address:port")
            ipaddress.IPv4Address(found[1])
        return given

    @field_validator("nameservers")
    @classmethod
    def _check_addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(text)) for text in given)

    @field_validator("names")
    @classmethod
    def _check_names(cls, given: dict[str, str]) -> dict[str, str]:
        for name, address in given.items():
            ipaddress.ip_address(address)
            if problem := find_name_fault(name):
                raise ValueError(f"`{name}` {problem}")
        return given

    def pairs(self) -> Iterator[Pair]:
        """Yield what is let through."""
        for text in self.let_through:
            address, _, port = text.partition(":")
            yield Pair(address, int(port))

    def hosts_file(self) -> str:
        """Return where the proxy finds `names`."""
        return HOSTS_FILE if self.names else NO_HOSTS

    def hosts(self) -> str:
        """Return the content of that file."""
        return "".join(f"{address} {name}\n" for name, address in self.names.items())
