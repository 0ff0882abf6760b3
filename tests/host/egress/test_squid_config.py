"""The proxy's configuration: no policy gets anything into it but names and methods, and the order is what it must be."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ay_bot.host.egress import HostRule, NetworkPolicy
from ay_bot.host.egress.laboratory import Laboratory
from ay_bot.host.egress.opening import MOST_CONNECTIONS
from ay_bot.host.egress.squid_config import PRIVATE, Secret, render

SECRET = Secret("5.6.7.8", "9.8.7.6", 77)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ALWAYS = render(NetworkPolicy(mode="allowlist"), SECRET).splitlines()
OF_RULES = re.compile(
    r"acl host\d+ (dstdomain -n [a-z0-9.-]+|dstdom_regex -n -i (\\[.-]|[a-z0-9-])+\\\.\?\$)"
    r"|acl named any-of host\d+"
    r"|acl methods\d+ method( [A-Z]+)+"
    r"|acl tag_[cp]\d+ annotate_transaction rule=(hosts|preset):[a-z0-9.*-]+"
    r"|http_access allow CONNECT host\d+ tag_c\d+"
    r"|http_access allow !CONNECT host\d+ methods\d+ tag_p\d+"
    r"|http_access deny !named tag_name"
)
near_names = st.text("ab.*-\n\r\t #\"'\\|$(){}_:/@%\0é\u2028", max_size=20).map(lambda text: f"a.{text}example.org")


@given(st.lists(st.tuples(st.one_of(st.text(max_size=40), near_names), st.lists(st.sampled_from(METHODS), min_size=1))))
def test_no_rule_says_more_than_a_name_and_methods(said: list[tuple[str, list[str]]]) -> None:
    rules = []
    for host, methods in said:
        try:
            rules.append(HostRule.model_validate({"host": host, "methods": methods}))
        except ValidationError:
            continue
    lines = render(NetworkPolicy(mode="allowlist", hosts=tuple(rules)), SECRET).splitlines()
    for line in lines:
        assert line in ALWAYS or OF_RULES.fullmatch(line), line
    assert sum(line.startswith("http_access allow") for line in lines) == 2 * len(rules)


@given(st.from_regex(r"(\*\.)?([a-z]{1,9}\.){1,4}[a-z]{2,6}", fullmatch=True), st.text(max_size=30))
def test_a_wildcard_matches_below_its_name_alone(host: str, text: str) -> None:
    config = render(NetworkPolicy(mode="allowlist", hosts=(HostRule(host=host),)), SECRET)
    if not host.startswith("*."):
        assert f"acl host0 dstdomain -n {host}\n" in config
        return
    pattern = re.search(r"^acl host0 dstdom_regex -n -i (.*)$", config, re.MULTILINE)
    assert pattern
    asked = f"{text}{host[1:]}".lower()
    assert bool(re.search(pattern[1], asked)) == HostRule(host=host).covers(asked)
    assert not re.search(pattern[1], host[2:])
    assert not re.search(pattern[1], f"a{host[1:]}.evil.example")


def places(config: str, *starts: str) -> list[int]:
    lines = config.splitlines()
    return [next(number for number, line in enumerate(lines) if line.startswith(start)) for start in starts]


def test_names_are_judged_before_anything_is_looked_up() -> None:
    config = render(NetworkPolicy(mode="allowlist", presets=("pip", "apt")), SECRET)
    order = places(
        config, "http_access deny !relay", "http_access deny manager", "http_access deny !CONNECT !web_scheme",
        "http_access deny CONNECT !tls_port", "http_access deny !named", "http_access deny private",
        "http_access allow", "http_access deny all",
    )  # fmt: skip
    assert order == sorted(order)
    assert all("-n" in line for line in config.splitlines() if "dstdom" in line)
    assert config.splitlines()[-1].startswith("http_access deny all")


def test_a_box_can_not_make_the_proxy_forget_a_name() -> None:
    size = re.search(r"^ipcache_size (\d+)$", render(NetworkPolicy(mode="allowlist"), SECRET), re.MULTILINE)
    assert size
    assert int(size[1]) * 0.9 > MOST_CONNECTIONS  # each asks for one host; squid drops the oldest at 90 %


def test_without_rules_nothing_is_allowed() -> None:
    config = render(NetworkPolicy(mode="allowlist"), SECRET)
    assert "http_access allow" not in config


def test_requests_that_only_read_have_no_body() -> None:
    reading = render(NetworkPolicy(mode="allowlist", hosts=(HostRule(host="a.example"),)), SECRET)
    writing = render(NetworkPolicy(mode="allowlist", hosts=(HostRule(host="a.example", methods=("POST",)),)), SECRET)
    assert "request_body_max_size 1 bytes" in reading
    assert "request_body_max_size" not in writing


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.251", "239.255.255.250",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "100::1", "fc00::1",
        "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2002:7f00:1::", "2001::1", "4000::1", "8000::", "1::", "fe::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert refused(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.167.1.1", "2606:4700::1111",
     "2a00:1450::1", "2001:4860:4860::8888"],
)  # fmt: skip
def test_public_addresses_are_not(address: str) -> None:
    assert not refused(address)


def refused(address: str) -> bool:
    wanted = ipaddress.ip_address(address)
    networks = map(ipaddress.ip_network, " ".join(PRIVATE).split())
    return any(network.version == wanted.version and wanted in network for network in networks)


def test_no_range_covers_what_the_proxy_keeps_ipv4_addresses_as() -> None:
    """Squid compares all addresses as IPv6; a range over ::ffff:0:0/96 would refuse every IPv4 address."""
    mapped = ipaddress.ip_network("::ffff:0:0/96")
    for text in " ".join(PRIVATE).split():
        network = ipaddress.ip_network(text)
        assert network.version == 4 or not network.overlaps(mapped), text


def test_an_experiment_opens_single_addresses_at_single_ports() -> None:
    around = Laboratory(let_through=("127.9.0.1:80", "127.9.0.1:8080"), nameservers=("127.9.0.53",))
    config = render(NetworkPolicy(mode="allowlist", hosts=(HostRule(host="a.example"),)), SECRET, around)
    private = re.search(r"^acl private dst (.*)$", config, re.MULTILINE)
    assert private
    networks = [ipaddress.ip_network(one) for one in private[1].split() if ":" not in one]
    assert not any(ipaddress.ip_address("127.9.0.1") in one for one in networks)
    for near in ("127.9.0.0", "127.9.0.2", "127.0.0.1", "10.0.0.1"):
        assert any(ipaddress.ip_address(near) in one for one in networks)
    assert "http_access deny opened0 !opened0_port tag_opened0" in config
    assert "acl opened0_port port 80 8080" in config


@pytest.mark.parametrize(
    "wrong",
    [{"let_through": ("127.0.0.1",)}, {"let_through": ("10.0.0.0/8:80",)}, {"let_through": ("1.2.3.4:80\nhttp_access",)},
     {"nameservers": ("a.example",)}, {"names": {"a.example": "b.example"}}, {"names": {"a b": "127.0.0.1"}}],
)  # fmt: skip
def test_an_experiment_can_not_say_more_either(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Laboratory.model_validate(wrong)
