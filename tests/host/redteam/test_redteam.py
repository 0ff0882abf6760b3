"""The battery: its attacks are well made, its verdicts can be bad, and a part of it holds on real boxes."""

import ast
import base64
import os
import platform
import tempfile
from pathlib import Path

import pytest

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host.redteam import Attack, Line, Off, Scorecard, doors
from ay_bot.host.redteam.battery import judge, list_attacks, run_battery
from ay_bot.host.redteam.experiment import is_in
from ay_bot.host.redteam.prelude import compose
from ay_bot.host.redteam.run import exit_code, render_table, run
from ay_bot.host.redteam.weakened import Weakness, weaken
from ay_bot.host.sandbox.guarantees import Weakness as Lack
from tests.fakes import LocalSandbox
from tests.host.sandbox.conftest import BUBBLEWRAP, DOCKER, make_sandbox

FAST = (
    "net-metadata-mapped", "net-dns-udp", "net-internet-ipv6-udp", "host-loopback", "host-abstract", "host-engine", "host-gateway",
    "raw-icmp", "raw-route", "kernel-io-uring", "kernel-userns", "kernel-vsock", "kernel-ptrace", "kernel-mount",
    "kernel-setting-core", "agent-maps", "agent-forge-inherited", "agent-kill-all", "secret-environment",
    "secret-traversal", "secret-home-ssh", "file-write", "write-etc", "survive-daemon", "report-link",
    "output-escapes", "resource-file-size", "resource-processes", "door-url-name", "door-url-decimal", "door-url-port",
    "door-url-private", "door-method-post", "door-tunnel-name", "door-tunnel-port", "door-host-header", "door-dns",
    "door-rebinding", "door-redirect", "door-sni", "door-not-tls", "door-smuggled-chunks", "door-pipelined",
)  # fmt: skip
ATTACK = Attack(id="x-y", category="c", about="a", program="", off=(Off.FILTER,))


def test_there_are_eighty_attacks_on_each_driver_and_each_can_be_named() -> None:
    attacks = list_attacks()
    assert len({attack.id for attack in attacks}) == len(attacks)
    for driver in ("docker", "bubblewrap"):
        assert sum(driver in attack.drivers for attack in attacks) >= 80
    assert all(attack.off for attack in attacks)
    assert {one for attack in attacks for one in attack.off} == set(Off)


def test_every_program_is_python() -> None:
    for attack in list_attacks():
        ast.parse(compose(attack.program, {"TOKEN": "t", "TCP": 1}), attack.id)


@pytest.mark.parametrize(
    ("without", "behind", "verdict"),
    [
        ("+a descriptor", "-refused", "held"),
        ("+a descriptor", "+a descriptor", "broken"),
        ("-nothing", "+a descriptor", "broken"),
        ("-nothing", "-refused", "untested"),
        ("?no box", "-refused", "untested"),
        ("+a descriptor", "?no box", "untested"),
    ],
)
def test_only_an_effect_that_was_shown_and_then_stopped_is_held(without: str, behind: str, verdict: str) -> None:
    line = judge(ATTACK, LocalSandbox(), without, behind)
    assert line.verdict == verdict
    assert line.text().split("|")[:4] == ["AYTEST", "x-y", "bubblewrap", verdict]


def test_an_effect_that_a_wall_announces_is_neither_held_nor_a_surprise() -> None:
    class Soft(LocalSandbox):
        def weaknesses(self) -> tuple[Lack, ...]:
            return (Lack(lacks="memory", why="it is looked at now and then", instead="a control group"),)

    attack = ATTACK.model_copy(update={"guarantee": "memory"})
    assert judge(attack, Soft(), "+400 MiB", "+400 MiB").verdict == "announced"
    assert judge(attack, Soft(), "+400 MiB", "-ended").verdict == "held"
    assert judge(ATTACK, Soft(), "+a descriptor", "+a descriptor").verdict == "broken"
    other = ATTACK.model_copy(update={"guarantee": "cpu"})
    assert judge(other, Soft(), "+all of it", "+all of it").verdict == "broken"


def test_all_must_hold() -> None:
    def card(*verdicts: str) -> Scorecard:
        lines = tuple(Line(id="a", driver="docker", category="c", verdict=one, detail="") for one in verdicts)
        return Scorecard(driver="docker", image="i", seconds=1, lines=lines)

    assert exit_code(card("held", "held")) == ExitCode.HANDLED
    assert exit_code(card("held", "announced")) != 0
    assert exit_code(card("held", "untested")) == exit_code(card("held", "broken")) == exit_code(card()) != 0
    assert "broken: a" in render_table(card("held", "broken"))
    assert "1 of 2 attacks are held" in render_table(card("held", "broken"))


@pytest.mark.parametrize("shift", range(3))
def test_a_secret_is_found_in_any_coding(shift: int) -> None:
    secret = "ay-canary-0123456789abcdef"
    coded = base64.b64encode(b"x" * shift + secret.encode() + b"tail").decode()
    for text in (secret, secret[::-1], secret.encode().hex(), secret.encode().hex().upper(), coded):
        assert is_in(secret, f"before {text} after")
    assert not is_in(secret, "before ay-canary-0123456789 after")


def test_what_there_is_not_is_told() -> None:
    with pytest.raises(UsageError, match="no sandbox `chroot`"):
        run(os.environ, sandbox="chroot")
    with pytest.raises(UsageError, match="no attack's name begins with nothing-of-the-sort"):
        run(os.environ, only=["nothing-of-the-sort"])


def test_attacks_on_doors_are_left_out_with_a_notice_where_there_can_be_none() -> None:
    assert "left out: a sandbox without walls has no doors" in doors.why_no_door(LocalSandbox())
    card = run_battery(LocalSandbox(), lambda line: None, only=["door-dns"])
    assert card.lines == ()
    assert any("left out" in notice for notice in card.notices)
    assert not card.holds


@pytest.mark.parametrize("driver", [DOCKER, BUBBLEWRAP])
def test_a_part_of_the_battery_holds(driver: str) -> None:
    told: list[Line] = []
    card = run(os.environ, told.append, sandbox=driver, only=FAST)
    assert [line.text() for line in card.lines if line.verdict != "held"] == []
    assert len(card.lines) >= len(FAST) - 2
    assert tuple(told) == card.lines
    assert "AY_CANARY_API_KEY" not in os.environ
    assert list(Path(tempfile.gettempdir()).glob("ay-bot.*/planted")) == []


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of these attacks")
@pytest.mark.parametrize("driver", [DOCKER, BUBBLEWRAP])
def test_a_wall_with_a_hole_does_not_hold(driver: str) -> None:
    off = frozenset({Off.FILTER, Off.LEFTOVERS, Off.DUMPABLE})
    leaky = weaken(make_sandbox(driver), Weakness(off, Path("/nonexistent"), "none"))
    only = ("kernel-io-uring", "kernel-userns-unshare", "agent-maps", "survive-daemon", "raw-icmp")
    card = run_battery(leaky, lambda line: None, only=only)
    assert {line.id for line in card.lines if line.verdict == "broken"} >= {
        "kernel-io-uring",
        "kernel-userns-unshare",
        "agent-maps",
        "survive-daemon",
    }
    assert not card.holds
