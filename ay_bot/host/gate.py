"""The gate: an event and what GitHub says of its people go in, run, ignore or deny comes out, with a reason code.

It runs on a bare Python before anything is installed, as `python3 -m ay_bot.host.gate`; so this module and those it
imports use the standard library alone, and frozen dataclasses in place of pydantic's. docs/gate.md lists the reasons.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from ay_bot.errors import AyBotError, ExitCode, UsageError
from ay_bot.host.events import Account, Event, Unheard, account, parse_event
from ay_bot.host.mention import Verb, find_mention, mentions_somewhere
from ay_bot.host.permissions import (
    HARMLESS_OUTPUTS,
    ROLES,
    WRITE_OUTPUTS,
    Admission,
    Ask,
    Refusal,
    Standing,
    Verdict,
    judge,
)

OWN_MARKER: Final = "<!-- ay-bot:"
"""What every comment of the bot holds, so that it never answers itself, under whatever account it speaks."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""More than the 25 MB that GitHub delivers."""


class Outcome(StrEnum):
    """What the gate decides."""

    RUN = "run"
    IGNORE = "ignore"
    DENY = "deny"


class Reason(StrEnum):
    """Why, beside the reasons of `Unheard` and `Refusal`."""

    MENTION = "mention"
    LABEL = "label"
    ASSIGNED = "assigned"
    SCHEDULE = "schedule"
    DISPATCH = "dispatch"
    OWN_COMMENT = "own-comment"
    NO_MENTION = "no-mention"
    MENTION_INERT = "mention-inert"
    OTHER_LABEL = "other-label"
    OTHER_ASSIGNEE = "other-assignee"
    OTHER_DISPATCH = "other-dispatch"
    UNKNOWN_VERB = "unknown-verb"
    UNSAFE_EVENT = "unsafe-event"


HINTS: Final[Mapping[str, str]] = {
    Reason.UNSAFE_EVENT: "start the workflow by `pull_request`, never by `pull_request_target`",
    Refusal.ACTOR_UNKNOWN: "ask from an account that exists",
    Refusal.CONFUSED_DEPUTY: "whoever wrote the words has to ask: say it in a comment of your own",
    Refusal.BOT_NOT_LISTED: "name the bot in `bots:` of .github/ay-bot.yml and in the Action's input `bots`",
    Refusal.BOT_NOT_INSTALLED: "install the App on this repository",
    Refusal.PERMISSION_TOO_LOW: "let somebody ask who may write, or see `who` in docs/gate.md",
    Refusal.PERMISSION_UNKNOWN: "look whether GitHub can be reached and the token is valid for this repository",
}
"""What to do about each denial, for whoever runs the bot."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gate goes by; all of it comes from the workflow or the base branch, never from the event."""

    name: str = "ay"
    label: str = "ay"
    logins: tuple[str, ...] = ("ay-bot[bot]", "github-actions[bot]")
    """The accounts that the bot speaks as: it never answers them."""
    assignees: tuple[str, ...] = ("ay", "ay-bot")
    dispatches: tuple[str, ...] = ("ay", "ay-bot")
    admission: Admission = field(default_factory=Admission)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with an event. The instruction is as somebody wrote it, and has to be sanitised before use."""

    decision: Outcome
    reason: str
    verb: str | None = None
    instruction: str = ""
    event: str = ""
    action: str = ""
    repository: str = ""
    thread: str = ""
    number: int | None = None
    comment: int | None = None
    actor: str = ""
    author: str = ""
    triggering_actor: str = ""
    party: str = ""
    asked: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Return one line of JSON, in ASCII whatever the instruction holds."""
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class _Call:
    """What an event asks for, before it is known whether it may."""

    reason: Reason
    verb: str | None = None
    instruction: str = ""


def decide(name: str, payload: object, rules: Rules, ask: Ask, triggering_actor: str = "") -> Decision:
    """Decide about one event; `ask` is called only if all else speaks for a run."""
    event = parse_event(name, payload)
    if isinstance(event, Unheard):
        return Decision(Outcome.IGNORE, event, event=name)
    call = _call(event, rules)
    if isinstance(call, Reason):
        return _decision(event, Outcome.IGNORE, call, triggering_actor)
    if event.name == "pull_request_target":
        return _decision(event, Outcome.DENY, Reason.UNSAFE_EVENT, triggering_actor)
    verdict = judge(event, account(triggering_actor) if triggering_actor else None, rules.admission, ask)
    if verdict.refusal:
        return _decision(event, Outcome.DENY, verdict.refusal, triggering_actor, verdict=verdict)
    return _decision(event, Outcome.RUN, call.reason, triggering_actor, call=call, verdict=verdict)


def _decision(
    event: Event,
    outcome: Outcome,
    reason: Reason | Refusal,
    triggering_actor: str,
    *,
    call: _Call | None = None,
    verdict: Verdict | None = None,
) -> Decision:
    return Decision(
        outcome,
        reason,
        verb=call.verb if call else None,
        instruction=call.instruction if call else "",
        event=event.name,
        action=event.action,
        repository=event.repository,
        thread=("pull_request" if event.on_pull_request else "issue") if event.number else "",
        number=event.number,
        comment=event.comment,
        actor=_login(event.actor),
        author=_login(event.author),
        triggering_actor=triggering_actor or _login(event.actor),
        party=verdict.party.hand if verdict and verdict.party else "",
        asked=verdict.asked if verdict else (),
    )


def _call(event: Event, rules: Rules) -> _Call | Reason:
    """Return what the event asks of us, or why it asks nothing."""
    if event.name == "schedule":
        return _Call(Reason.SCHEDULE, "maintain", event.instruction)
    if event.name.endswith("_dispatch"):
        return _dispatched(event, rules)
    if _is_own(event, rules):
        return Reason.OWN_COMMENT
    if event.action == "labeled":
        return _labelled(event, rules)
    if event.action == "assigned":
        wanted = {name.lower() for name in (*rules.assignees, *rules.logins)}
        return _Call(Reason.ASSIGNED, Verb.FIX) if event.assignee.lower() in wanted else Reason.OTHER_ASSIGNEE
    return _mentioned(event, rules)


def _is_own(event: Event, rules: Rules) -> bool:
    own = {login.lower() for login in rules.logins}
    speakers = [event.actor, event.author] if event.texts else [event.actor]
    return any(_login(speaker).lower() in own for speaker in speakers) or any(
        OWN_MARKER in text for text in event.texts
    )


def _mentioned(event: Event, rules: Rules) -> _Call | Reason:
    for text in event.texts:
        if mention := find_mention(text, rules.name):
            return _Call(Reason.MENTION, mention.verb, mention.instruction)
    named = any(mentions_somewhere(text, rules.name) for text in event.texts)
    return Reason.MENTION_INERT if named else Reason.NO_MENTION


def _labelled(event: Event, rules: Rules) -> _Call | Reason:
    label = event.label.lower()
    if label == rules.label.lower():
        return _Call(Reason.LABEL, Verb.FIX)
    begin, _, verb = label.replace("/", ":", 1).partition(":")
    if begin == rules.label.lower() and verb.strip() in set(Verb):
        return _Call(Reason.LABEL, verb.strip())
    return Reason.OTHER_LABEL


def _dispatched(event: Event, rules: Rules) -> _Call | Reason:
    if event.name == "repository_dispatch" and event.action.lower() not in rules.dispatches:
        return Reason.OTHER_DISPATCH
    verb = event.verb.strip().lower()
    if verb and verb not in {*Verb, "maintain"}:
        return Reason.UNKNOWN_VERB
    free = verb or (None if event.instruction.strip() else "maintain")
    return _Call(Reason.DISPATCH, free, event.instruction.strip())


def _login(somebody: Account | None) -> str:
    return somebody.login if somebody else ""


# ------------------------------------------------------------------------------------------------ command line


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ay-bot gate",
        description="Decide whether an event of GitHub is for the bot: run, ignore or deny, with a reason code.",
        epilog="Exit codes: 0 run or ignore, 3 deny, 2 unusable input.",
    )
    add = parser.add_argument
    add("--event-name", required=True, metavar="NAME", help="the event, as in GITHUB_EVENT_NAME")
    add("--event", required=True, metavar="FILE", help="the payload, as in GITHUB_EVENT_PATH; `-` reads stdin")
    add(
        "--permission",
        action="append",
        default=[],
        metavar="[LOGIN=]ROLE",
        help=f"answers in place of GitHub: one of {', '.join(ROLES)}, for everybody or for one login; can be repeated",
    )
    add("--triggering-actor", default="", metavar="LOGIN", help="who started the run, as in GITHUB_TRIGGERING_ACTOR")
    add("--minimum", default="write", metavar="ROLE", help="the weakest role that may ask, or `*`; default: write")
    add("--allow-bot", action="append", default=[], metavar="LOGIN", help="a bot that may ask; can be repeated")
    add("--outputs", default="", metavar="A,B", help="what a run may give; default: everything")
    add("--mention", default="ay", metavar="NAME", help="the name that is called, without @; default: ay")
    add(
        "--label", default="ay", metavar="NAME", help="the label that asks for a fix; NAME:VERB for others; default: ay"
    )
    add("--own-login", action="append", default=[], metavar="LOGIN", help="an account that the bot speaks as")
    add("--json", action="store_true", dest="as_json", help="print the decision as one line of JSON")
    return parser.parse_args(arguments)


def run(arguments: Sequence[str]) -> int:
    """Carry out the command: print the decision, return the exit code."""
    given = _arguments(arguments)
    rules = _rules(given)
    ask = _answers(given.permission) if given.permission else _github() or _answers(())
    decision = decide(given.event_name, load_payload(given.event), rules, ask, given.triggering_actor)
    line = decision.as_json() if given.as_json else f"{decision.decision}: {decision.reason}"
    sys.stdout.write(line + "\n")
    if hint := _hint(decision, asked=bool(given.permission)):
        sys.stderr.write(f"hint: {hint}\n")
    return ExitCode.DENIED if decision.decision == Outcome.DENY else ExitCode.HANDLED


def _hint(decision: Decision, *, asked: bool) -> str:
    if decision.reason != Refusal.PERMISSION_UNKNOWN:
        return HINTS.get(decision.reason, "")
    if asked:
        return f"--permission says nothing of {decision.asked[-1] if decision.asked else 'them'}: add LOGIN=ROLE"
    return "set GITHUB_TOKEN and GITHUB_REPOSITORY, so that GitHub is asked, or answer for it with --permission ROLE"


def main() -> int:
    """Run the gate by itself, without the rest of ay-bot."""
    try:
        return run(sys.argv[1:])
    except AyBotError as error:
        sys.stderr.write(f"ay-bot: error: {error}\n")
        return error.exit_code


def _rules(given: argparse.Namespace) -> Rules:
    outputs = frozenset(filter(None, given.outputs.split(","))) or HARMLESS_OUTPUTS | WRITE_OUTPUTS
    admission = Admission(given.minimum, tuple(given.allow_bot), outputs)
    if problems := list(admission.problems()):
        raise UsageError("; ".join(problems), hint="see docs/gate.md, section Who may ask")
    if not given.mention or not given.label:
        raise UsageError("--mention and --label can't be empty", hint="leave them out for the default, `ay`")
    own = tuple(given.own_login)
    return Rules(given.mention.lstrip("@/"), given.label, (*Rules().logins, *own), admission=admission)


def _github() -> Ask | None:
    """Return what asks GitHub, if the environment has a token for it."""
    from ay_bot.host.environment import environment
    from ay_bot.host.github.gate_answers import open_answers

    return open_answers(environment())


def _answers(given: Sequence[str]) -> Ask:
    roles: dict[str, str] = {}
    for item in given:
        login, _, role = item.rpartition("=")
        if role not in ROLES:
            raise UsageError(f"--permission `{item}` names no role", hint=f"choose one of {', '.join(ROLES)}")
        roles[login.lower()] = role

    def ask(login: str) -> Standing | None:
        role = roles.get(login.lower(), roles.get(""))
        permission = {"triage": "read", "maintain": "write"}.get(role or "", role or "")
        return Standing(permission, role, installed=role != "none") if role else None

    return ask


def load_payload(path: str) -> object:
    """Return the JSON object in a file, `-` being standard input, or raise UsageError."""
    hint = "give the file that GITHUB_EVENT_PATH names"
    try:
        with sys.stdin.buffer if path == "-" else Path(path).open("rb") as source:
            raw = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the event can't be read: {error}", hint=hint) from error
    if len(raw) > MOST_BYTES:
        raise UsageError(f"the event has more than {MOST_BYTES} bytes", hint=hint)
    try:
        payload: object = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the event is not JSON: {error}", hint=hint) from error
    if not isinstance(payload, dict):
        raise UsageError("the event is JSON, but not an object", hint=hint)
    return payload


if __name__ == "__main__":
    sys.exit(main())
