"""One box and the attacks in it: it starts each, and looks for its effect where the effect would be."""

import base64
import io
import secrets
import tarfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ay_bot.errors import AyBotError, ProtocolBroken
from ay_bot.host.redteam import Attack, Off
from ay_bot.host.redteam.doors import STRAYED, is_told
from ay_bot.host.redteam.prelude import compose
from ay_bot.host.redteam.targets import Targets
from ay_bot.host.runtime import PREFIX
from ay_bot.host.sandbox import Box, Sandbox
from ay_bot.host.sandbox.bubblewrap import interpreter
from ay_bot.protocol.channel import Closed
from ay_bot.protocol.plain_messages import Check, Checked, Seed, Seeded

if TYPE_CHECKING:
    from ay_bot.host.egress.opening import OpenDoor

MOST_OUTPUT: Final = 512 * 1024
LOOK: Final = """
for pid in filter(str.isdigit, os.listdir("/proc")):
    try: said = open(f"/proc/{pid}/cmdline", "rb").read()
    except OSError: continue
    if MARKER.encode() in said: effect(f"process {pid}")
"""
CLEAN: Final = "rm -rf /tmp/a /tmp/report*; mkdir -p /tmp/a && cd /tmp/a && "


class Over(Exception):
    """The box ended, or its pipe holds something that is no answer."""


class Experiment:
    """Attacks in one box. `is_over` when the box can't be used any more."""

    def __init__(
        self, box: Box, targets: Targets, driver: Sandbox, off: frozenset[Off], door: "OpenDoor | None" = None
    ) -> None:
        self._box = box
        self._targets = targets
        self._off = off
        self._door = door
        self._python = f"{PREFIX}/bin/python3" if driver.name == "docker" else interpreter()[0]
        self._token = f"ay-token-{secrets.token_hex(8)}"
        self._report = ""
        self._body = b""
        self.is_over = False

    def seed(self, attacks: Sequence[Attack]) -> None:
        """Bring the attacks' programs into the box. Raises ProtocolBroken."""
        values = self._values()
        programs = {f"{attack.id}.py": compose(attack.program, self._own(attack, values)) for attack in attacks}
        body = _pack({**programs, "look.py": compose(LOOK, values)})
        self._box.channel.send(Seed(body_size=len(body)), body)
        message, _ = self._box.channel.receive()
        if not isinstance(message, Seeded):
            msg = f"the box answered {message.kind} to its seed"
            raise ProtocolBroken(msg)

    def attack(self, attack: Attack) -> str:
        """Carry one attack out; return its effect after a plus sign, or after a minus sign what was seen instead."""
        try:
            checked = self._run(
                attack.id, attack.timeout if Off.LIMITS not in self._off else 30.0, self._report_of(attack)
            )
        except Over as over:
            self.is_over = True
            if attack.seen in {"died", "forged"} or attack.category != "resources":
                return f"+{over}"
            return f"-{over}"
        return self._judge(attack, checked)

    def _judge(self, attack: Attack, checked: Checked) -> str:
        text, token = checked.output, self._token_of(attack)
        last = " ".join(text.split())[-120:]
        seen = self._effect(attack, text, token)
        return f"+{seen}" if seen else f"-{last}"

    def _effect(self, attack: Attack, text: str, token: str) -> str:
        match attack.seen:
            case "said":
                return _told(text, token)
            case "survived":
                return self._survivors()
            case "forged" | "died":
                return self._forged(token)
            case _:
                return self._found(attack.seen, text, token)

    def _found(self, seen: str, text: str, token: str) -> str:
        found: dict[str, tuple[Callable[[], bool], str]] = {
            "arrived": (lambda: self._arrived(token), "the token arrived"),
            "strayed": (lambda: is_told(self._door, token, STRAYED), "the token arrived where nothing may"),
            "asked": (lambda: is_told(self._door, token, "asked"), "a name server was asked"),
            "leaked": (lambda: is_in(self._targets.canary, text), "the canary is in the output"),
            "touched": (self._targets.touched, "the planted file changed"),
            "escapes": (lambda: "\x1b" in text or "\x9b" in text, "escape sequences came through"),
            "flooded": (lambda: len(text) > MOST_OUTPUT, f"{len(text)} characters came"),
            "reported": (lambda: bool(self._body), f"{len(self._body)} bytes were taken"),
        }
        happened, what = found[seen]
        return what if happened() else ""

    def _arrived(self, token: str) -> bool:
        return is_told(self._door, token, "arrived") if self._door else self._targets.listeners.arrived(token)

    def _run(self, name: str, timeout: float, report: str) -> Checked:
        command = f"{CLEAN}{self._python} -I -S -B /work/{name}.py"
        try:
            self._box.channel.send(Check(command=command, timeout=timeout, report=report))
            message, self._body = self._box.channel.receive()
        except Closed:
            raise Over("the box ended") from None
        except AyBotError as error:
            if self._token in str(error):
                raise Over("a forged message reached the host") from None
            raise Over(f"the box ended: {' '.join(error.message.split())[:150]}") from None
        if not isinstance(message, Checked):
            forged = self._token in str(message)
            raise Over("a forged message reached the host" if forged else f"the box said {message.kind}")
        return message

    def _forged(self, token: str) -> str:
        """Say whether something else than an answer is in the pipe, or nothing at all."""
        try:
            checked = self._run("look", 20, "")
        except Over as over:
            self.is_over = True
            return str(over)
        return "an answer with the token" if token in checked.output else ""

    def _survivors(self) -> str:
        try:
            return _told(self._run("look", 20, "").output, self._token)
        except Over:
            self.is_over = True
            return ""

    def _values(self) -> dict[str, str | int]:
        listeners = self._targets.listeners
        return {
            "TOKEN": self._token,
            "MARKER": f"marker-{self._token}",
            "PLANTED": str(self._targets.directory),
            "TCP": listeners.tcp,
            "TCP_OTHER": listeners.tcp_other,
            "TCP_GATEWAY": listeners.tcp_gateway,
            "GATEWAY": listeners.gateway,
            "TCP_SIX": listeners.tcp_six,
            "UDP": listeners.udp,
            "ABSTRACT": listeners.abstract,
        }

    def _own(self, attack: Attack, values: dict[str, str | int]) -> dict[str, str | int]:
        own = {"TOKEN": self._token_of(attack), "REPORT": self._report_of(attack)}
        return {**values, **own, "MARKER": f"marker-{self._token}"}

    def _token_of(self, attack: Attack) -> str:
        return f"{self._token}-{attack.id}"

    def _report_of(self, attack: Attack) -> str:
        return f"/tmp/report-{attack.id}"  # noqa: S108 - in the box


def is_in(secret: str, text: str) -> bool:
    """Say whether a secret is in a text: as it is, backwards, or in the usual codings."""
    raw = secret.encode()
    coded = {secret, secret[::-1], raw.hex(), raw.hex().upper()}
    for shift in range(3):  # base64 has three alignments; the ends depend on what stands beside
        coded.add(base64.b64encode(b"\0" * shift + raw).decode()[4:-4])
    return any(one in text for one in coded)


def _told(text: str, token: str) -> str:
    for line in text.splitlines():
        if line.startswith(f"EFFECT {token}"):
            return line.removeprefix("EFFECT ").partition(" ")[2] or "it worked"
    return ""


def _pack(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()
