"""What the words of one run may do on a page: where they may link to, whom they may call, what they may refer to."""

from ay_bot.host.outputs.policy import OutputContext, OutputPolicy
from ay_bot.protocol.conversation import Value


class Allowance(Value):
    """What is not here, words can't do. `thread` is the one number that may be referred to, 0 for none.

    `closes` is whether a closing keyword may stand before it, and `domains` are hosts beside the server's own.
    """

    repository: str
    server: str = "github.com"
    thread: int = 0
    closes: bool = False
    requester: str = ""
    domains: tuple[str, ...] = ()

    def has_host(self, host: str) -> bool:
        """Whether words may link to a host."""
        host = host.lower()
        return host == self.server.lower() or any(_covers(domain.lower(), host) for domain in self.domains)


def build_allowance(policy: OutputPolicy, context: OutputContext) -> Allowance:
    """Return what the words of a run may do."""
    return Allowance(
        repository=context.repository,
        server=context.server,
        thread=context.thread,
        closes=policy.closes and context.kind == "issue",
        requester=context.requester,
        domains=policy.domains,
    )


def _covers(domain: str, host: str) -> bool:
    return host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
