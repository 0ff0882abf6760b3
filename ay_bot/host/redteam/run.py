"""`ay-bot redteam`: the battery against this machine and image, and its scorecard for people and for machines."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host.interrupts import ended_by_signals
from ay_bot.host.redteam import Line, Scorecard
from ay_bot.host.redteam.battery import Tell, list_attacks, run_battery
from ay_bot.host.sandbox.guarantees import parse_requirements
from ay_bot.host.sandbox.select import choose, parse_preference


def run(  # noqa: PLR0913 - one argument for each flag
    environment: Mapping[str, str],
    tell: Tell = lambda _line: None,
    *,
    sandbox: str = "auto",
    image: str = "",
    only: Iterable[str] = (),
    runtime: str = "",
    require: Iterable[str] = (),
) -> Scorecard:
    """Attack boxes of this machine; `tell` hears each verdict, `only` are beginnings of attacks' names."""
    wanted = parse_preference(sandbox)
    required = parse_requirements(require)
    names = tuple(only)
    if not list_attacks(names):
        raise UsageError(f"no attack's name begins with {', '.join(names)}", hint="leave the names out to see all")
    driver, _ = choose(wanted, environment, image=image, repository=Path.cwd(), runtime=runtime, require=required)
    with ended_by_signals():
        return run_battery(driver, tell, image=image, only=names)


def exit_code(card: Scorecard) -> ExitCode:
    """Return 0 only if every attack is held."""
    return ExitCode.HANDLED if card.holds else ExitCode.SANDBOX_UNAVAILABLE


def render_table(card: Scorecard) -> str:
    """Return the scorecard for people: a row per category, then all that is not held."""
    width = max(len(line.category) for line in card.lines)
    rows = [f"{'':{width}}  held  broken  announced  untested"]
    for category in dict.fromkeys(line.category for line in card.lines):
        lines = [line for line in card.lines if line.category == category]
        held, broken, announced, untested = (
            sum(line.verdict == verdict for line in lines) for verdict in ("held", "broken", "announced", "untested")
        )
        rows.append(f"{category:{width}}  {held:4}  {broken:6}  {announced:9}  {untested:8}")
    return "\n".join([*rows, "", *_not_held(card), _conclusion(card)])


def _not_held(card: Scorecard) -> list[str]:
    told = [_explain(line) for line in card.lines if line.verdict != "held"]
    return [*told, ""] if told else []


def _explain(line: Line) -> str:
    return f"{line.verdict}: {line.id} ({line.about})\n    {line.detail}"


def _conclusion(card: Scorecard) -> str:
    count = f"{card.count('held')} of {len(card.lines)} attacks are held by {card.driver}, in {card.seconds:.0f} s"
    return "\n".join([count, *(f"notice: {notice}" for notice in card.notices)])
