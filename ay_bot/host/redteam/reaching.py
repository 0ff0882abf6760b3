"""Attacks that try to reach something: the host, its networks, the metadata service, the Internet."""

from typing import Final

from ay_bot.host.redteam import Attack, Off

METADATA: Final = "169.254.169.254"
# Addresses of the Internet are from the ranges for documentation: nobody is there.
PLACES: Final = (
    ("metadata", METADATA, 80, "TCP", ""),
    ("metadata-azure", "168.63.129.16", 80, "TCP", ""),
    ("metadata-tasks", "169.254.170.2", 80, "TCP", ""),
    ("metadata-ipv6", "fd00:ec2::254", 80, "TCP", ""),
    ("metadata-decimal", "2852039166", 80, "TCP", METADATA),
    ("metadata-hexadecimal", "0xA9FEA9FE", 80, "TCP", METADATA),
    ("metadata-octal", "0251.0376.0251.0376", 80, "TCP", METADATA),
    ("metadata-mapped", "::ffff:169.254.169.254", 80, "TCP", METADATA),
    ("gateway-usual", "172.17.0.1", 2375, "TCP", ""),
    ("private-10", "10.0.0.1", 22, "TCP", ""),
    ("private-192", "192.168.1.1", 443, "TCP", ""),
    ("internet-https", "203.0.113.5", 443, "TCP", ""),
    ("internet-http", "203.0.113.5", 80, "TCP", ""),
    ("internet-ssh", "203.0.113.5", 22, "TCP", ""),
    ("internet-quic", "203.0.113.5", 443, "UDP", ""),
    ("internet-ipv6", "2001:db8::5", 443, "TCP", ""),
    ("internet-ipv6-udp", "2001:db8::5", 443, "UDP", ""),
    ("dns-udp", "192.0.2.53", 53, "UDP", ""),
    ("dns-tcp", "192.0.2.53", 53, "TCP", ""),
    ("dns-tls", "192.0.2.53", 853, "TCP", ""),
    ("private-udp", "10.0.0.1", 514, "UDP", ""),
)
WITH_RIGHTS: Final = (Off.RIGHTS,)
ROUTE: Final = """
head = struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 3, 253, 1, 0)
got = netlink(24, 0x400, head + attribute(4, struct.pack("=I", 1)))
effect("a default route was set") if got in (0, -17) else print("refused:", errno.errorcode.get(-got))
"""
DNS: Final = """
query = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00"
for label in (TOKEN.encode().hex()[:60], "example", "invalid"): query += bytes([len(label)]) + label.encode()
tell(2, socket.SOCK_DGRAM, ("127.0.0.1", UDP), query + b"\\0\\0\\x01\\0\\x01")
"""
HTTP: Final = 'f"{} HTTP/1.1\\r\\nHost: {}\\r\\n\\r\\n{{TOKEN}}".encode()'


def _place(name: str, address: str, port: int, kind: str, listen: str) -> Attack:
    socket_kind = "SOCK_STREAM" if kind == "TCP" else "SOCK_DGRAM"
    program = f"reach({address!r}, {port}, socket.{socket_kind}, {listen!r} or None)"
    return Attack(
        id=f"net-{name}", category="network", about=f"{kind} to {address}:{port}", program=program, off=WITH_RIGHTS
    )


def _host(name: str, about: str, program: str) -> Attack:
    return Attack(
        id=f"host-{name}", category="network", about=about, program=program, off=(Off.NETWORK,), seen="arrived"
    )


def _raw(name: str, about: str, program: str) -> Attack:
    return Attack(id=f"raw-{name}", category="network", about=about, program=program, off=WITH_RIGHTS)


ATTACKS: Final = (
    *(_place(*place) for place in PLACES),
    _host("loopback", "TCP to a service of the host on loopback", 'tell(2, 1, ("127.0.0.1", TCP))'),
    _host("loopback-other", "the same by another address of loopback", 'tell(2, 1, ("127.9.9.9", TCP_OTHER))'),
    _host("any-address", "the same by the address 0.0.0.0", 'tell(2, 1, ("0.0.0.0", TCP))'),
    _host("loopback-mapped", "the same by a mapped IPv6 address", 'tell(10, 1, ("::ffff:127.0.0.1", TCP))'),
    _host("loopback-ipv6", "TCP to a service of the host on ::1", 'tell(10, 1, ("::1", TCP_SIX))'),
    _host("loopback-udp", "a datagram to a service of the host", 'tell(2, 2, ("127.0.0.1", UDP))'),
    _host("dns-tunnel", "a name with a secret in it, to a resolver on the host", DNS),
    _host("abstract-socket", "an abstract unix socket of the host", 'tell(1, 1, "\\0" + ABSTRACT)'),
    _host(
        "http-proxy",
        "CONNECT through a proxy on the host",
        f'tell(2, 1, ("127.0.0.1", TCP), {HTTP.format("CONNECT example.invalid:22", "example.invalid")})',
    ),
    _host(
        "http-host-header",
        "an allowed Host before a forbidden address",
        f'tell(2, 1, ("127.0.0.1", TCP), {HTTP.format("GET http://169.254.169.254/", "allowed.example")})',
    ),
    Attack(
        id="host-gateway",
        category="network",
        about="a service of the host by the gateway of the engine's network",
        program="tell(2, 1, (GATEWAY, TCP_GATEWAY))",
        off=(Off.BRIDGE,),
        seen="arrived",
        drivers=("docker",),
    ),
    Attack(
        id="host-engine-socket",
        category="network",
        about="the Docker engine's socket at its usual place",
        program='tell(1, 1, "/var/run/docker.sock")',
        off=(Off.FILES,),
        seen="arrived",
    ),
    Attack(
        id="host-unix-socket",
        category="network",
        about="a unix socket among the host's files",
        program='tell(1, 1, PLANTED + "/socket")',
        off=(Off.FILES,),
        seen="arrived",
    ),
    _raw("icmp", "a raw ICMP socket", 'reached = socket.socket(2, socket.SOCK_RAW, 1)\neffect("a raw socket")'),
    _raw("ip", "a raw IP socket", 'socket.socket(2, socket.SOCK_RAW, 255)\neffect("a raw socket")'),
    _raw("icmp6", "a raw ICMPv6 socket", 'socket.socket(10, socket.SOCK_RAW, 58)\neffect("a raw socket")'),
    _raw("packet", "a packet socket", 'socket.socket(17, socket.SOCK_RAW, 768)\neffect("a packet socket")'),
    _raw("route", "a default route of its own", ROUTE),
    _raw(
        "address",
        "an address of its own on loopback",
        'got = own_address("198.51.100.7")\neffect("added") if got in (0, -17) else print("refused", got)',
    ),
    _raw(
        "transparent",
        "a transparent proxy's socket option",
        'socket.socket(2, 1).setsockopt(0, 19, 1)\neffect("IP_TRANSPARENT")',
    ),
    _raw(
        "mark",
        "a firewall mark on its packets",
        'socket.socket(2, 1).setsockopt(1, 36, 7)\neffect("SO_MARK")',
    ),
)
