"""The battery: every attack first in a box whose protection is off, where it must work, then in a real one."""

import os
import platform
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ay_bot.errors import AyBotError
from ay_bot.host.redteam import Attack, Line, Off, Scorecard, doors, egress, inside, kernel, reaching, resources
from ay_bot.host.redteam.experiment import Experiment
from ay_bot.host.redteam.gateway import open_network
from ay_bot.host.redteam.resources import LIMITS, RAISED
from ay_bot.host.redteam.targets import Targets, open_targets
from ay_bot.host.redteam.weakened import Weakness, weaken
from ay_bot.host.sandbox import BoxSpec, Sandbox
from ay_bot.host.sandbox.guarantees import tell as tell_weaknesses

Tell = Callable[[Line], None]


def list_attacks(names: Iterable[str] = ()) -> tuple[Attack, ...]:
    """Return all attacks, or those whose id begins with one of `names`."""
    within = (*kernel.attacks(platform.machine()), *inside.ATTACKS, *resources.ATTACKS)
    every = (*reaching.ATTACKS, *within, *egress.ATTACKS)
    wanted = tuple(names)
    return tuple(attack for attack in every if not wanted or attack.id.startswith(wanted))


def run_battery(sandbox: Sandbox, tell: Tell, *, image: str = "", only: Iterable[str] = ()) -> Scorecard:
    """Carry out the attacks that mean anything on this driver, and return what came of them."""
    began = time.monotonic()
    attacks = [attack for attack in list_attacks(only) if sandbox.name in attack.drivers]
    doorless = doors.why_no_door(sandbox) if any(attack.door for attack in attacks) else ""
    if doorless:
        attacks = [attack for attack in attacks if not attack.door]
    with open_targets() as targets, open_network(sandbox, targets):
        battery = Battery(sandbox, targets, image)
        worked: dict[str, str] = {}
        for off, group in by_protection(attacks).items():
            worked |= battery.experiment(group, off)
        effects = battery.experiment(attacks, frozenset())
    lines = tuple(judge(attack, sandbox, worked[attack.id], effects[attack.id]) for attack in attacks)
    for line in lines:
        tell(line)
    seconds = round(time.monotonic() - began, 1)
    digest = sandbox.resolve_image(image)
    notices = (*tell_weaknesses(sandbox.weaknesses()), *([doorless] if doorless else ()))
    return Scorecard(driver=sandbox.name, image=digest, seconds=seconds, lines=lines, notices=notices)


def by_protection(attacks: Iterable[Attack]) -> dict[frozenset[Off], list[Attack]]:
    """Group attacks by what their control experiments switch off."""
    groups: dict[frozenset[Off], list[Attack]] = {}
    for attack in attacks:
        groups.setdefault(frozenset(attack.off), []).append(attack)
    return groups


def judge(attack: Attack, sandbox: Sandbox, without: str, behind: str) -> Line:
    """Say what an attack showed: `without` the protection, and `behind` it. An effect begins with a plus sign."""
    line = Line(
        id=attack.id, driver=sandbox.name, category=attack.category, verdict="held", detail="", about=attack.about
    )
    if behind.startswith("+"):
        lacks = {weakness.lacks for weakness in sandbox.weaknesses()}
        verdict = "announced" if attack.guarantee in lacks else "broken"
        return line.model_copy(update={"verdict": verdict, "detail": behind[1:]})
    if behind.startswith("?"):
        return line.model_copy(update={"verdict": "untested", "detail": f"could not be tried: {behind[1:]}"})
    if not without.startswith("+"):
        off = ", ".join(one.value for one in attack.off)
        why = f"no effect even without “{off}”: {without[1:] or 'nothing seen'}"
        if os.getuid() and Off.RIGHTS in attack.off:
            why += " (this user has no such right himself: only a box of root's can be given it, and lose it)"
        return line.model_copy(update={"verdict": "untested", "detail": why})
    return line.model_copy(update={"detail": f"without the protection: {without[1:]}"})


class Battery:
    """Boxes for experiments, each used for as many attacks as it can be."""

    def __init__(self, sandbox: Sandbox, targets: Targets, image: str) -> None:
        self._sandbox = sandbox
        self._targets = targets
        self._image = image

    def experiment(self, attacks: Sequence[Attack], off: frozenset[Off]) -> dict[str, str]:
        """Return, by id, the effect (after a plus sign), that there was none (minus), or that it can't be told (?)."""
        found: dict[str, str] = {}
        for door in (False, True):
            shared = [attack for attack in attacks if not attack.alone and attack.door is door]
            while shared:
                found |= self._in_one_box(shared, off)
                shared = [attack for attack in shared if attack.id not in found]
        for attack in attacks:
            if attack.alone:
                found |= self._in_one_box([attack], off)
        return found

    def _in_one_box(self, attacks: Sequence[Attack], off: frozenset[Off]) -> dict[str, str]:
        """Carry out as many as the box survives, at least one."""
        found: dict[str, str] = {}
        try:
            with self._opened(off, attacks[0]) as experiment:
                experiment.seed(attacks)
                for attack in attacks:
                    found[attack.id] = experiment.attack(attack)
                    if experiment.is_over:
                        break
        except AyBotError as error:
            reason = " ".join(str(error).split())[:200]
            unknown = [attack for attack in attacks if attack.id not in found]
            found |= {attack.id: f"?{reason}" for attack in (unknown if not found else unknown[:1])}
        return found

    @contextmanager
    def _opened(self, off: frozenset[Off], first: Attack) -> Iterator[Experiment]:
        driver = self._sandbox
        if off:
            driver = weaken(driver, Weakness(off, self._targets.directory, self._targets.canary, self._targets.network))
        raised = not off.isdisjoint({Off.LIMITS, Off.OUTPUT, Off.REPORT})
        limits = RAISED if raised else LIMITS.model_copy(update={"cpus": first.cpus or LIMITS.cpus})
        spec = BoxSpec(
            run=f"redteam-{secrets.token_hex(4)}",
            purpose="redteam",
            only_for_checks=True,
            image=self._image,
            limits=limits,
        )
        with doors.opened_for(first, off, self._sandbox, spec) as (spec, door), driver.open(spec) as box:
            timer = threading.Timer(limits.wall, box.kill)
            timer.daemon = True
            timer.start()
            try:
                yield Experiment(box, self._targets, driver, off, door)
            finally:
                timer.cancel()
