"""Rules of the network policy: what may be written, what it covers, and what people are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.egress import Attempt, HostRule, NetworkPolicy, open_egress
from ay_bot.host.egress.attempts import MOST_TOLD, Attempts
from ay_bot.host.egress.explaining import WORDS, explain, propose
from ay_bot.host.egress.presets import read_preset
from ay_bot.host.egress.rules import Network, PresetName, explain_host
from ay_bot.host.event_log import EventLog
from ay_bot.host.settings_file import load_settings
from ay_bot.protocol.events import EgressAttempted, Record
from tests.fakes import LocalSandbox

ADDRESSES = (
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.0.0.1", "127.0.0.1.", "::1", "[::1]",
    "::ffff:127.0.0.1", "a.127.0.0.1", "1.2.3.0x4",
)  # fmt: skip
NO_NAMES = (
    "", "*", "*.", "**.example.org", "*.org.*", "a b.example", "a\nb.example", "http://example.org", "example.org:443",
    "example.org/path", "user@example.org", "localhost", "com", "*.com", "-a.example", "a-.example", "a..example",
    ".example.org", "a_b.example", "bücher.example", "a" * 64 + ".example", "a." * 130 + "example", "x.example\\.org",
    "a.example#b", "%61.example",
)  # fmt: skip


@pytest.mark.parametrize("host", [*ADDRESSES, *NO_NAMES])
def test_only_full_names_are_hosts(host: str) -> None:
    with pytest.raises(ValidationError):
        HostRule(host=host)


def test_a_name_is_taken_in_any_case_and_with_its_final_dot() -> None:
    assert HostRule(host=" Registry.Example.ORG. ").host == "registry.example.org"
    assert HostRule(host="*.Example.org").host == "*.example.org"
    assert HostRule(host="xn--bcher-kva.example").host == "xn--bcher-kva.example"


def test_a_rule_covers_what_it_says_and_nothing_else() -> None:
    exact, below = HostRule(host="a.example.org"), HostRule(host="*.example.org")
    assert exact.covers("A.example.org.")
    assert not any(map(exact.covers, ("b.a.example.org", "xa.example.org", "example.org", "a.example.org.evil.net")))
    assert below.covers("a.example.org")
    assert below.covers("b.A.example.org.")
    assert not any(map(below.covers, ("example.org", "xexample.org", "a.example.org.evil.net")))


@given(st.text(max_size=60))
def test_whatever_is_no_name_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        host = HostRule(host=text).host
    except ValidationError:
        return
    assert set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.*")
    assert "." in host.removeprefix("*.")


@pytest.mark.parametrize("name", PresetName.__args__)
def test_every_preset_has_hosts(name: PresetName) -> None:
    assert read_preset(name)
    assert all(set(rule.methods) == {"GET", "HEAD"} for rule in read_preset(name))


def test_settings_take_hosts_as_words_or_with_methods() -> None:
    file = b"""
network:
  setup:
    mode: allowlist
    presets: [pip]
    hosts:
      - example.org
      - {host: "*.api.example.org", methods: [GET, POST]}
"""
    network = load_settings(file, Overrides(), needs_model=False).network
    assert network.agent == NetworkPolicy()
    assert network.setup.hosts[0] == HostRule(host="example.org")
    assert network.setup.hosts[1].methods == ("GET", "POST")
    assert explain_host(network.setup, "pypi.org") == (True, "preset:pip")
    assert explain_host(network.setup, "x.api.example.org") == (True, "hosts:*.api.example.org")
    assert explain_host(network.setup, "api.example.org") == (False, "no rule names this host")
    assert explain_host(network.agent, "pypi.org") == (False, "mode: none")


@pytest.mark.parametrize(
    "said",
    [
        b"network: {agent: {mode: open}}",
        b"network: {agent: {hosts: ['169.254.169.254']}}",
        b"network: {verification: {mode: allowlist}}",
        b"network: {agent: {hosts: [{host: example.org, methods: [CONNECT]}]}}",
        b"network: {agent: {let_through: ['127.0.0.1:80']}}",
        b"network: {agent: {max_sent: -1}}",
    ],
)
def test_what_no_setting_may_say_is_refused(said: bytes) -> None:
    with pytest.raises(UsageError, match="network"):
        load_settings(said, Overrides(), needs_model=False)


def test_by_default_nothing_is_reached_and_nothing_is_started() -> None:
    assert Network() == Network(setup=NetworkPolicy(mode="none"), agent=NetworkPolicy(mode="none"))
    with open_egress(NetworkPolicy(hosts=(HostRule(host="example.org"),)), LocalSandbox(), run="r") as egress:
        assert egress.environment == {}
        assert egress.attempts() == ()


def attempt(**said: object) -> Attempt:
    usual = {
        "time": "t",
        "host": "a.example.org",
        "port": 80,
        "method": "GET",
        "allowed": False,
        "rule": "name",
        "why": "w",
    }
    return Attempt.model_validate({**usual, **said})


@pytest.mark.parametrize(
    ("refused", "fix"),
    [
        (attempt(), "add `- a.example.org` to `network.setup.hosts`"),
        (attempt(host="A.Example.org."), "add `- a.example.org` to `network.setup.hosts`"),
        (attempt(host="10.0.0.1"), ""),
        (attempt(host="x y"), ""),
        (attempt(rule="address"), ""),
        (attempt(rule="port", port=22), ""),
        (attempt(rule="method", method="POST"), "add `- {host: a.example.org, methods: [GET, HEAD, POST]}` to"),
        (attempt(rule="method", method="TRACE"), ""),
        (attempt(rule="max_sent"), "set `network.setup.max_sent: 33554432`"),
    ],
)
def test_a_refusal_names_the_change_that_would_allow_it(refused: Attempt, fix: str) -> None:
    policy = NetworkPolicy(mode="allowlist")
    said = propose(refused, policy, "setup")
    assert said.startswith(fix)
    assert bool(said) == bool(fix)
    assert explain(refused, policy)
    assert refused.rule in WORDS


def test_attempts_are_logged_and_refused_ones_are_told_once() -> None:
    records: list[Record] = []
    attempts = Attempts(EventLog("run", (records.append,)))
    hear = attempts.hear("agent")
    hear(attempt(allowed=True, rule="preset:pip"))
    for _ in range(3):
        hear(attempt(fix="do this"))
    events = [record.event for record in records]
    assert all(isinstance(event, EgressAttempted) and event.box == "agent" for event in events)
    assert len(events) == 4
    assert attempts.notices() == ("the agent box was refused GET a.example.org:80: w (name); to allow it, do this",)
    assert attempts.hosts() == ("a.example.org",)


def test_a_flood_of_refusals_is_told_in_short() -> None:
    attempts = Attempts(EventLog("run"))
    for number in range(100):
        attempts.hear("setup")(attempt(host=f"h{number}.example.org"))
    assert len(attempts.notices()) == MOST_TOLD + 1
    assert attempts.notices()[-1] == "90 more requests to the network were refused"
