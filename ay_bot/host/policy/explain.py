"""`ay-bot policy explain`: what would happen to a host, a path or a command, by which rule, and how to change that."""

import ipaddress
import itertools
import shlex
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from ay_bot.errors import UsageError
from ay_bot.host.egress.presets import read_preset
from ay_bot.host.egress.rules import PresetName, find_name_fault
from ay_bot.host.path_policy import find_guard
from ay_bot.host.policy.answers import Answer, Explanation, Kind, quote_value
from ay_bot.host.policy.explain_host import explain_host, host_of
from ay_bot.host.policy.explain_path import explain_path
from ay_bot.host.policy.source import PolicySource
from ay_bot.protocol.command_rules import CommandPolicy, Judgement

Judge = Callable[[str, CommandPolicy], Judgement]
"""What judges a shell line; the agent's tools own it."""
LONGEST = 4000


def explain(words: Sequence[str], source: PolicySource, judge: Judge, kind: Kind | Literal[""] = "") -> Explanation:
    """Explain what the words name. Raises UsageError where it can't be told whether that is a host or a path."""
    subject = words[0] if len(words) == 1 else shlex.join(words)
    if not subject.strip() or len(subject) > LONGEST:
        raise UsageError("there is nothing to explain", hint="give a host, a path or a command")
    match kind or guess_kind(words, source):
        case "host":
            return explain_host(subject, source)
        case "path":
            return explain_path(subject, source)
        case _:
            return explain_command(subject, source, judge)


def parse_kind(word: str) -> Kind | Literal[""]:
    """Return the kind that a word names, nothing for none. Raises UsageError."""
    if word not in {"", *get_args(Kind)}:
        raise UsageError(f"`{word}` is nothing that can be explained", hint=f"choose {', '.join(get_args(Kind))}")
    return word  # type: ignore[return-value]  # mypy does not narrow a str by a set of literals


def guess_kind(words: Sequence[str], source: PolicySource) -> Kind:
    """Say what the words name, from their form and from what the repository has. Raises UsageError if in doubt."""
    word = words[0]
    if len(words) > 1 or len(word.split()) > 1:
        return "command"
    if "://" in word or _is_address(word):
        return "host"
    if source.is_there(word) or "/" in word or word.startswith(".") or find_guard(word, source.paths):
        return "path"
    if find_name_fault(host_of(word)[0].lower()):
        return "path" if "." in word else "command"
    if _is_known_host(word, source):
        return "host"
    raise UsageError(f"`{word}` may be a host or a path", hint="say which with `--as host` or `--as path`")


def explain_command(line: str, source: PolicySource, judge: Judge) -> Explanation:
    """Explain what the agent's shell tool would do with a line."""
    policy = source.settings.command_policy
    judged = judge(line, policy)
    forbidden = judged.decision == "forbid"
    if judged.rule is None:
        where = source.place("other_commands") if policy.others == "forbid" else "the default"
        rule = f"other_commands: {policy.others}" if forbidden or policy.rules else "no rule speaks of it"
        why = "no rule of `commands` allows it" if forbidden else ""
    else:
        found = policy.rules[judged.rule]
        where, rule, why = source.place("commands", judged.rule), f"{found.decision} {found.shown}", found.reason
    answer = Answer(
        about="run by the agent's shell tool",
        verdict="refused" if forbidden else "allowed",
        rule=rule,
        where=where,
        why=why,
        change=_change_of_command(judged, forbidden=forbidden),
    )
    note = "a rule on commands guides the agent; what a command can reach is the box's to say, whatever it is called"
    return Explanation(kind="command", subject=line, answers=(answer,), notes=(note,))


def _change_of_command(judged: Judgement, *, forbidden: bool) -> str:
    if forbidden and judged.rule is not None:
        return f"remove rule {judged.rule + 1} of `commands`; where several rules match, the strictest decides"
    known = tuple(itertools.takewhile(lambda word: word is not None, judged.words[:2]))
    if not known:
        return ""
    prefix = ", ".join(quote_value(word) for word in known if word)
    return f"commands: [{{prefix: [{prefix}], decision: {'allow' if forbidden else 'forbid'}}}]"


def _is_known_host(word: str, source: PolicySource) -> bool:
    network = source.settings.network
    own = [rule for policy in (network.setup, network.agent) for rule in policy.hosts]
    presets = [rule for name in get_args(PresetName) for rule in read_preset(name)]
    return any(rule.covers(word) for rule in (*own, *presets))


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word.strip("[]"))
    except ValueError:
        return False
    return True
