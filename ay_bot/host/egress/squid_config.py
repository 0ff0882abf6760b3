"""The proxy's configuration, rendered from a policy: names first, then addresses; a pure function."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Final, NamedTuple, Self

from ay_bot.host.egress.laboratory import Laboratory
from ay_bot.host.egress.rules import HostRule, NetworkPolicy

WEB_PORT, TLS_PORT = 80, 443
WITH_BODIES: Final = ("POST", "PUT", "PATCH", "DELETE")
PRIVATE: Final = (
    # IPv4: this network, private, shared (CGNAT), loopback, link-local with its metadata, protocol assignments,
    # 6to4 relays, benchmarks, multicast, reserved and broadcast. Squid sees mapped addresses (::ffff:0:0/96) as these.
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.88.99.0/24",
    "192.168.0.0/16 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4",
    # IPv6: all but 2000::/3, in pieces that leave out what squid keeps IPv4 addresses as; 40::/10 has NAT64.
    "::/96 1::/16 2::/15 4::/14 8::/13 10::/12 20::/11 40::/10 80::/9 100::/8 200::/7 400::/6 800::/5 1000::/4",
    "4000::/2 8000::/1",
    # Of 2000::/3: what carries an IPv4 address inside (Teredo, 6to4), and the metadata of a large provider.
    "2001::/32 2002::/16",
)
FIELDS: Final = (
    "%ts.%03tu", "%{rule}note", "%>Hs", "%#>rm", "%#>rd", "%>rP", "%#>rp", "%>st", "%<st", "%#<a", "%err_code",
)  # fmt: skip
"""Of a line of the log, in order; `#` writes as in a URL what the box wrote."""
FIXED: Final = """\
visible_hostname proxy
http_port 127.0.0.1:@PORT@ require-proxy-header
acl local src 127.0.0.1
proxy_protocol_access allow local
pid_filename none
cache_log /dev/stderr
debug_options ALL,0
cache_store_log none
logfile_rotate 0
buffered_logs off
strip_query_terms off
coredump_dir none
mime_table /usr/share/squid/mime.conf
pinger_enable off
netdb_filename none
icp_port 0
htcp_port 0
snmp_port 0
memory_pools off
workers 1
max_filedescriptors 1024
cache deny all
cache_mem 0
maximum_object_size_in_memory 0
memory_cache_shared off
via off
forwarded_for delete
httpd_suppress_version_string on
client_persistent_connections off
server_persistent_connections off
pipeline_prefetch 0
half_closed_clients off
request_header_max_size 32 KB
reply_header_max_size 64 KB
request_start_timeout 20 seconds
request_timeout 30 seconds
connect_timeout 20 seconds
forward_timeout 60 seconds
forward_max_tries 3
read_timeout 5 minutes
client_lifetime 2 hours
shutdown_lifetime 0 seconds
quick_abort_min 0
quick_abort_max 0
dns_timeout 15 seconds
dns_defnames off
# More than a box can make it look up: a name that is forgotten could be looked up again.
ipcache_size 32768
fqdncache_size 0
# The lower bound of how long an answer is kept, too: a name keeps its addresses for as long as the proxy runs.
negative_dns_ttl {pinned} seconds
positive_dns_ttl {pinned} seconds
"""
HOSTS_FILE: Final = "/tmp/hosts"  # noqa: S108 - of the proxy's own file system
LOOSE: Final = """\
http_access allow all
request_header_max_size 256 KB
client_persistent_connections on
negative_dns_ttl 1 seconds
positive_dns_ttl 1 seconds
"""
PINNED: Final = 7 * 24 * 3600


class Secret(NamedTuple):
    """What the relay says of itself (with the PROXY protocol), and nobody else on the machine can: 80 random bits."""

    source: str
    target: str
    port: int

    @classmethod
    def make(cls, random_bits: Callable[[int], int]) -> Self:
        """Return a new one."""
        source, target = (str(IPv4Address((1 << 24) + random_bits(30))) for _ in range(2))
        return cls(source, target, 1 + random_bits(15))

    def hosts(self) -> str:
        """Return a line of a hosts file, so that the proxy asks nobody for the name of who connects to it."""
        return f"{self.source} relay.invalid\n"

    def greeting(self) -> str:
        """Return the line that each connection to the proxy begins with."""
        return f"PROXY TCP4 {self.source} {self.target} 1024 {self.port}\r\n"


def render(policy: NetworkPolicy, secret: Secret, laboratory: Laboratory | None = None) -> str:
    """Return squid's configuration, but for its port; it answers only who knows `secret`."""
    return "\n".join([*_lines(policy, secret, laboratory or Laboratory()), ""])


def _lines(policy: NetworkPolicy, secret: Secret, laboratory: Laboratory) -> Iterator[str]:
    yield FIXED.format(pinned=PINNED)
    yield f"logformat ay {' '.join(FIELDS)}"
    yield "access_log stdio:/dev/stdout logformat=ay"
    yield f"hosts_file {HOSTS_FILE}"
    yield from (f"dns_nameservers {address}" for address in laboratory.nameservers)
    if laboratory.loose:
        yield LOOSE
        return
    yield from _shapes(secret, laboratory)
    places = [place for place, _ in policy.rules()]
    rules = [rule for _, rule in policy.rules()]
    if not any(method in WITH_BODIES for rule in rules for method in rule.methods):
        yield "request_body_max_size 1 bytes"  # 0 would be no limit
    yield from _names(rules)
    yield from _tag("http_access deny !named", "name") if rules else _tag("http_access deny all", "name")
    yield from _addresses(laboratory)
    for number, (place, rule) in enumerate(zip(places, rules, strict=True)):
        yield from _tag(f"http_access allow CONNECT host{number}", place, f"c{number}")
        yield f"acl methods{number} method {' '.join(rule.methods)}"
        yield from _tag(f"http_access allow !CONNECT host{number} methods{number}", place, f"p{number}")
    yield from _tag("http_access deny all", "method")


def _shapes(secret: Secret, laboratory: Laboratory) -> Iterator[str]:
    """Yield what refuses a request for its form alone: whose it is, its scheme, its port."""
    ports = sorted({port for ports in laboratory.open_ports().values() for port in ports} - {WEB_PORT, TLS_PORT})
    yield f"acl relay_source src {secret.source}"
    yield f"acl relay_target localip {secret.target}"
    yield f"acl relay_port localport {secret.port}"
    yield "acl relay all-of relay_source relay_target relay_port"
    yield "acl web_scheme proto HTTP"
    yield f"acl web_port port {_joined([WEB_PORT, *ports])}"
    yield f"acl tls_port port {_joined([TLS_PORT, *ports])}"
    yield from _tag("http_access deny !relay", "stranger")
    yield from _tag("http_access deny manager", "form")
    yield from _tag("http_access deny !CONNECT !web_scheme", "scheme")
    yield from _tag("http_access deny !CONNECT !web_port", "port", "plain_port")
    yield from _tag("http_access deny CONNECT !tls_port", "port", "tls_port")


def _names(rules: Sequence[HostRule]) -> Iterator[str]:
    """Yield the names; a name that is refused here is never looked up."""
    for number, rule in enumerate(rules):
        yield f"acl host{number} {_name(rule.host)}"
        yield f"acl named any-of host{number}"


def _name(host: str) -> str:
    if host.startswith("*."):
        return rf"dstdom_regex -n -i {re.escape(host[1:])}\.?$"
    return f"dstdomain -n {host}"


def _addresses(laboratory: Laboratory) -> Iterator[str]:
    """Yield what refuses an allowed name for what it resolved to; one private address of several is enough."""
    open_ports = laboratory.open_ports()
    ranges = " ".join(PRIVATE).split()
    yield f"acl private dst {' '.join(_without(ranges, open_ports))}"
    yield from _tag("http_access deny private", "address")
    for number, (address, ports) in enumerate(open_ports.items()):
        yield f"acl opened{number} dst {address}"
        yield f"acl opened{number}_port port {_joined(ports)}"
        yield from _tag(f"http_access deny opened{number} !opened{number}_port", "address", f"opened{number}")


def _without(ranges: Sequence[str], addresses: Iterable[str]) -> list[str]:
    """Return ranges of addresses that leave out single ones."""
    left = [IPv4Network(one) for one in ranges if ":" not in one]
    for address in map(IPv4Network, addresses):
        holding = [one for one in left if one.supernet_of(address)]
        pieces = [piece for one in holding for piece in one.address_exclude(address)]
        left = [*(one for one in left if one not in holding), *pieces]
    return [*map(str, left), *(one for one in ranges if ":" in one)]


def _tag(rule: str, text: str, name: str = "") -> Iterator[str]:
    """Yield a rule that leaves in the log why it decided."""
    tag = f"tag_{name or text}"
    yield f"acl {tag} annotate_transaction rule={text}"
    yield f"{rule} {tag}"


def _joined(values: Iterable[int]) -> str:
    return " ".join(map(str, values))
