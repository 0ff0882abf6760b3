"""What an explanation says, as a value, and as lines for people."""

import json
import re
from typing import Literal

from ay_bot.host.plain_text import clean_line
from ay_bot.protocol.conversation import Value

Kind = Literal["host", "path", "command"]
Verdict = Literal["allowed", "refused", "withheld", "review", "hidden"]


_PLAIN = re.compile(r"[A-Za-z0-9_./@+=][A-Za-z0-9_./@+=-]*")


class Answer(Value):
    """What happens in one respect. `change` is the smallest change of configuration that would turn it round."""

    about: str
    verdict: Verdict
    rule: str
    where: str
    """The file and line, the preset, or `built-in`."""
    why: str = ""
    change: str = ""
    """Empty where no setting changes it."""


class Explanation(Value):
    """All that a policy says of one host, path or command."""

    kind: Kind
    subject: str
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()


def render_explanation(explanation: Explanation) -> str:
    """Return an explanation as lines of text."""
    lines = [f"{explanation.kind} {clean_line(explanation.subject)}"]
    for answer in explanation.answers:
        lines.append(f"\n  {answer.about}: {answer.verdict.upper()}")
        lines.append(f"    rule:   {clean_line(answer.rule)} ({clean_line(answer.where)})")
        if answer.why:
            lines.append(f"    why:    {clean_line(answer.why)}")
        fix = clean_line(answer.change) or "no setting changes this"
        lines.append(f"    change: {fix}")
    lines += [f"\n  note: {clean_line(note)}" for note in explanation.notes]
    return "\n".join(lines)


def quote_value(text: str) -> str:
    """Return a text as YAML has it within a list; quoted where it would mean something else."""
    import yaml

    plain = _PLAIN.fullmatch(text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


def quote_path(path: str) -> str:
    """Return the pattern that names one path, as YAML."""
    return quote_value("/" + re.sub(r"([*?\[\\ !#])", r"\\\1", path.strip("/")))
