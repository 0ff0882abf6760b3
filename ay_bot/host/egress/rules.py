"""What a box may reach through its proxy, as the repository's configuration says it: hosts, methods and bytes."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from ay_bot.protocol.conversation import Value

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PresetName = Literal["pip", "uv", "npm", "yarn", "pnpm", "cargo", "go", "maven", "gradle", "bundler", "composer", "apt"]
NetworkMode = Literal["none", "allowlist"]
READING: Final[tuple[Method, ...]] = ("GET", "HEAD")
MIB: Final = 1024 * 1024

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"({_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
"""A full name in the letters of the DNS; its last part holds a letter, so it is no address in any spelling."""
_LONGEST: Final = 253
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-f]*")


class HostRule(Value):
    """One host, or all below one. In the configuration a plain host may stand for a rule with the default methods."""

    host: Annotated[str, Field(max_length=300)]
    """An exact name, or `*.example.org` for those below it; never an address."""
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = READING
    """What may be asked in plain http; inside TLS nobody sees the method, so every one is allowed there."""

    @model_validator(mode="before")
    @classmethod
    def _take_name(cls, given: object) -> object:
        return {"host": given} if isinstance(given, str) else given

    @field_validator("host")
    @classmethod
    def _check_name(cls, given: str) -> str:
        name = given.strip().lower().removesuffix(".")
        if problem := find_name_fault(name.removeprefix("*.")):
            raise ValueError(f"`{given}` {problem}")
        return name

    def covers(self, host: str) -> bool:
        """Say whether a host, in any case and with or without the final dot, falls under this rule."""
        name = host.lower().removesuffix(".")
        return name.endswith(self.host[1:]) if self.host.startswith("*.") else name == self.host


class NetworkPolicy(Value):
    """What boxes of one kind may reach. The box itself never has a network: a proxy outside of it asks for it."""

    mode: NetworkMode = "none"
    """`allowlist` lets the box ask a proxy for the hosts below; there is no mode that lets it ask for all."""
    presets: tuple[PresetName, ...] = ()
    """Package managers whose public registries are allowed."""
    hosts: Annotated[tuple[HostRule, ...], Field(max_length=500)] = ()
    """Hosts that are allowed beside the presets'."""
    max_sent: Annotated[int, Field(ge=0)] = 16 * MIB
    """The most bytes that one box may send, headers and TLS included."""
    max_received: Annotated[int, Field(ge=0)] = 4096 * MIB
    """The most bytes that one box may receive."""

    def is_open(self) -> bool:
        """Say whether boxes under this policy reach anything at all."""
        return self.mode == "allowlist"

    def rules(self) -> Iterator[tuple[str, HostRule]]:
        """Yield every rule with the place in the configuration that it comes from, the configuration's own first."""
        from ay_bot.host.egress.presets import read_preset

        yield from ((f"hosts:{rule.host}", rule) for rule in self.hosts)
        for name in dict.fromkeys(self.presets):
            yield from ((f"preset:{name}", rule) for rule in read_preset(name))


class Network(Value):
    """What boxes may reach, by what they are for. Boxes that verify a change have no network, whatever is said here."""

    setup: NetworkPolicy = NetworkPolicy()
    """The box in which setup commands run once."""
    agent: NetworkPolicy = NetworkPolicy()
    """The box in which the agent works."""


def find_name_fault(name: str) -> str:
    """Return why a text is no full host name, or nothing."""
    if len(name) > _LONGEST:
        return "is too long for a host name"
    if not name.isascii():
        return "holds letters that host names are not made of; write them as `xn--…`"
    if not _NAME.fullmatch(name) or _HEXADECIMAL.fullmatch(name.rpartition(".")[2]):
        return "is no full host name (such as `example.org` or `*.example.org`, without scheme, port or path)"
    return ""


def explain_host(policy: NetworkPolicy, host: str) -> tuple[bool, str]:
    """Return whether a policy lets a box ask for a host, and by which rule or for want of which."""
    if not policy.is_open():
        return False, "mode: none"
    found = next((place for place, rule in policy.rules() if rule.covers(host)), "")
    return bool(found), found or "no rule names this host"


def suggest(where: str, host: str) -> str:
    """Return the one line of configuration that would allow a host."""
    return f"network.{where}.hosts: [{host}]"
