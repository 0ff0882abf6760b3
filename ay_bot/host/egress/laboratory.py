"""What tests and experiments may change about a proxy, and no setting can: names and private addresses of their own."""

import ipaddress
import re
from typing import Annotated, Final

from pydantic import Field, field_validator

from ay_bot.host.egress.rules import find_name_fault
from ay_bot.protocol.conversation import Value

_PAIR: Final = re.compile(r"([0-9.]{7,15}):([1-9][0-9]{0,4})")


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

    loose: bool = False
    """Whether the proxy keeps no rule at all: what a control experiment needs."""

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

    def open_ports(self) -> dict[str, tuple[int, ...]]:
        """Return the ports that are let through, by address."""
        pairs = [text.split(":") for text in self.let_through]
        return {address: tuple(int(port) for one, port in pairs if one == address) for address, _ in pairs}

    def hosts(self) -> str:
        """Return `names` as lines of a hosts file."""
        return "".join(f"{address} {name}\n" for name, address in self.names.items())
