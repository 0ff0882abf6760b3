"""Why an attempt was refused, in words for people, and the one change of the configuration that would allow it."""

from typing import Final

from ay_bot.host.egress import Attempt, Where
from ay_bot.host.egress.rules import NetworkPolicy, find_name_fault

WORDS: Final = {
    "name": "no rule names this host",
    "address": "the name stands for an address that is not public (private, loopback, link-local or metadata)",
    "port": "only port 80 in plain http and port 443 with TLS are asked",
    "scheme": "only http, and TLS through CONNECT, are asked",
    "method": "no rule allows this method for this host in plain http",
    "form": "it is no well-formed request to a proxy",
    "stranger": "it did not come through the box's door",
    "leak": "it carried a canary or a secret of the run, and ended it",
    "tls_name": "inside the tunnel was no TLS for the host that the tunnel was asked for",
    "connections": "the box has made all the connections that it may",
    "max_sent": "the box has sent all the bytes that it may",
    "max_received": "the box has received all the bytes that it may",
}


def explain(attempt: Attempt, policy: NetworkPolicy) -> str:
    """Return why an attempt was refused."""
    words = WORDS.get(attempt.rule, "the proxy could not carry it out")
    most = {"max_sent": policy.max_sent, "max_received": policy.max_received}.get(attempt.rule)
    return words if most is None else f"{words} ({most:,} with headers and TLS)"


def propose(attempt: Attempt, policy: NetworkPolicy, where: Where) -> str:
    """Return the one change that would allow it, or nothing where none would."""
    place = f"network.{where}"
    host = attempt.host.lower().removesuffix(".")
    if attempt.rule in ("max_sent", "max_received"):
        most = policy.max_sent if attempt.rule == "max_sent" else policy.max_received
        return f"set `{place}.{attempt.rule}: {2 * most}`"
    if find_name_fault(host):
        return ""
    if attempt.rule == "name":
        return f"add `- {host}` to `{place}.hosts`"
    if attempt.rule == "method" and attempt.method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        return f"add `- {{host: {host}, methods: [GET, HEAD, {attempt.method}]}}` to `{place}.hosts`"
    return ""
