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


def report_unwritable(name: str, error: UnicodeEncodeError) -> Report:
    """Say why the new text can't be written in the file's encoding."""
    sign = error.object[error.start]
    if error.encoding == "utf-8":
        why = f"the new text has half a character ({sign!a}), which no file of text can hold; leave it out"
    else:
        why = f"the file is not UTF-8, and can't hold {sign!r} of the new text; write it without"
    return Report(name, f"{name}: {why}", ok=False)
