"""What became of one edit."""

from dataclasses import dataclass

from ay_bot.agent.edits.engine import Applied, Refused


@dataclass(frozen=True, slots=True)
class Report:
    """`text` is for the model; `path` is the file as the model writes it; `how` is the engine's pass.

    `ambiguous` if there are several places, and none is said.
    """

    path: str
    text: str
    ok: bool = True
    how: str = ""
    already: bool = False
    ambiguous: bool = False


def report_outcome(name: str, label: str, outcome: Applied | Refused) -> Report:
    """Say what the engine made of an edit of the file `name`."""
    if isinstance(outcome, Refused):
        return Report(name, f"{label}: {outcome.why}", ok=False, ambiguous=outcome.ambiguous)
    where = f"line {outcome.first}" if outcome.last <= outcome.first else f"lines {outcome.first}-{outcome.last}"
    if outcome.already:
        return Report(name, f"{label}: already applied, see {where}", how=outcome.how, already=True)
    how = "" if outcome.how == "exact" else f" ({outcome.how})"
    return Report(name, f"edited {label}, {where}{how}", how=outcome.how)
