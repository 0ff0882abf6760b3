"""What a policy says of a host: whether boxes may ask for it, each kind of box by itself."""

import ipaddress
from typing import Literal, get_args
from urllib.parse import urlsplit

from ay_bot.errors import UsageError
from ay_bot.host.egress.presets import read_preset
from ay_bot.host.egress.rules import NetworkPolicy, PresetName, find_name_fault
from ay_bot.host.egress.rules import explain_host as judge_host
from ay_bot.host.policy.answers import Answer, Explanation
from ay_bot.host.policy.source import PolicySource

BOXES: dict[Literal["setup", "agent"], str] = {"setup": "asked for by the set-up", "agent": "asked for by the agent"}
PORTS = frozenset({80, 443})
TESTS = Answer(
    about="asked for by a box that runs tests",
    verdict="refused",
    rule="boxes that verify a change have no network",
    where="built-in",
    why="what a change does must not depend on the network, or tell it anything",
)


def explain_host(subject: str, source: PolicySource) -> Explanation:
    """Explain what happens when something in a box asks for a host. Raises UsageError where the text names none."""
    host, port = host_of(subject)
    notes = ["inside TLS nobody sees methods and paths: an allowed host is a way out for whatever is in the box"]
    answers = [_answer(box, host, port, source) for box in BOXES]
    return Explanation(kind="host", subject=subject, answers=(*answers, TESTS), notes=tuple(notes))


def host_of(text: str) -> tuple[str, int | None]:
    """Return the host and the port of a name, an address or a URL. Raises UsageError."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise UsageError(f"`{text}` names no host: {error}", hint="give a name such as pypi.org, or a URL") from None
    return (parts.hostname or "").removesuffix("."), port


def _answer(box: Literal["setup", "agent"], host: str, port: int | None, source: PolicySource) -> Answer:
    about = BOXES[box]
    policy: NetworkPolicy = getattr(source.settings.network, box)
    if fault := _find_fault(host, port):
        return Answer(about=about, verdict="refused", rule=fault[0], where="built-in", why=fault[1], change=fault[2])
    allowed, rule = judge_host(policy, host)
    where = _place(box, rule, host, source)
    if allowed:
        return Answer(about=about, verdict="allowed", rule=rule, where=where, change=_closing(box, rule))
    why = "the box has no way out at all" if not policy.is_open() else "only what the settings name is asked for"
    return Answer(about=about, verdict="refused", rule=rule, where=where, why=why, change=_opening(box, host, policy))


def _find_fault(host: str, port: int | None) -> tuple[str, str, str] | None:
    """What no setting opens: addresses, names that are none, other ports."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        fault = find_name_fault(host.lower())
        if fault:
            return "only full host names are asked for", f"`{host}` {fault}", ""
        if port not in {None, *PORTS}:
            return "only the ports 80 and 443 are asked for", f"port {port} is none of them", ""
        return None
    public = "a public address may belong to anybody tomorrow" if address.is_global else "it is no public address"
    return (
        "no address is asked for, only names",
        f"{public}; private and metadata addresses are refused in any case",
        "",
    )


def _place(box: str, rule: str, host: str, source: PolicySource) -> str:
    policy: NetworkPolicy = getattr(source.settings.network, box)
    if rule.startswith("hosts:"):
        at = next(number for number, one in enumerate(policy.hosts) if one.covers(host))
        return source.place("network", box, "hosts", at)
    if rule.startswith("preset:"):
        return source.place("network", box, "presets")
    return source.place("network", box, "mode")


def _opening(box: str, host: str, policy: NetworkPolicy) -> str:
    named = [name for name in get_args(PresetName) if any(rule.covers(host) for rule in read_preset(name))]
    kind, name = ("presets", named[0]) if named else ("hosts", host)
    if policy.is_open():
        return f"add {name} to `network.{box}.{kind}`"
    return f"network: {{{box}: {{mode: allowlist, {kind}: [{name}]}}}}"


def _closing(box: str, rule: str) -> str:
    kind, _, name = rule.partition(":")
    return f"take {name} out of `network.{box}.{'presets' if kind == 'preset' else 'hosts'}`"
