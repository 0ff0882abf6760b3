"""The Action's first step: decides on a bare Python whether the event is for the bot, and tells the steps after it.

It goes by the workflow's inputs alone. `ay-bot action` decides again, by the settings of the base commit as well; this
step only spares the many events that are not for us, or from people who may not ask, the start of anything larger.
"""

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import AyBotError, UsageError
from ay_bot.host.environment import environment
from ay_bot.host.gate import Decision, Outcome, Rules, decide, load_payload
from ay_bot.host.github.gate_answers import GateAnswers
from ay_bot.host.permissions import HARMLESS_OUTPUTS, WRITE_OUTPUTS, Admission

REQUIRED: Final = ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "GITHUB_REPOSITORY")
GREETED: Final = "AY_GREETED"
"""What tells the bot that its first reaction was made here: an image takes its time, and people wait."""
REACTED_TO: Final = {"issue_comment": "comment", "pull_request_review_comment": "review_comment"}
HINT: Final = "this step is started by the Action; see docs/action.md"


def gate(given: Mapping[str, str]) -> tuple[Decision, bool]:
    """Decide about the event of a run, and say whether who asked was shown that they were heard."""
    if missing := [name for name in REQUIRED if not given.get(name)]:
        raise UsageError(f"not set: {', '.join(missing)}", hint=HINT)
    api = given.get("GITHUB_API_URL") or "https://api.github.com"
    answers = GateAnswers(given["GITHUB_REPOSITORY"], given.get("INPUT_GITHUB_TOKEN", ""), api)
    payload = load_payload(given["GITHUB_EVENT_PATH"])
    triggering_actor = given.get("GITHUB_TRIGGERING_ACTOR", "")
    decision = decide(given["GITHUB_EVENT_NAME"], payload, _rules(given), answers, triggering_actor)
    return decision, _react(decision, answers)


def is_none_of_ours(given: Mapping[str, str]) -> bool:
    """Whether the payload alone shows that an event is not for us, which takes the standard library only."""
    try:
        payload = load_payload(given.get("GITHUB_EVENT_PATH", ""))
    except UsageError:
        return False
    decision = decide(given.get("GITHUB_EVENT_NAME", ""), payload, Rules(*_names(given)), lambda _login: None)
    return decision.decision == Outcome.IGNORE


def outputs(decision: Decision, given: Mapping[str, str], *, greeted: bool) -> str:
    """Return the lines for GITHUB_OUTPUT: words of ours alone, nothing that somebody wrote."""
    run = "".join(character for character in given.get("GITHUB_RUN_ID", "") if character.isdigit())
    lines = {
        "decision": decision.decision,
        "reason": decision.reason,
        "verb": decision.verb or "",
        "greeted": "true" if greeted else "",
        "container": f"ay-bot-{run or 'run'}-{secrets.token_hex(4)}",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _rules(given: Mapping[str, str]) -> Rules:
    def listed(name: str) -> tuple[str, ...]:
        return tuple(given.get(name, "").replace(",", " ").split())

    outputs = frozenset(listed("INPUT_OUTPUTS")) or HARMLESS_OUTPUTS | WRITE_OUTPUTS
    admission = Admission(given.get("INPUT_WHO") or "write", listed("INPUT_BOTS"), outputs)
    if problems := list(admission.problems()):
        raise UsageError("; ".join(problems), hint="see docs/gate.md, section Who may ask")
    return Rules(*_names(given), admission=admission)


def _names(given: Mapping[str, str]) -> tuple[str, str]:
    """Return the name that is called and the label that asks."""
    return given.get("INPUT_MENTION", "").lstrip("@/") or Rules().name, given.get("INPUT_LABEL") or Rules().label


def _react(decision: Decision, answers: GateAnswers) -> bool:
    """React to what somebody wrote; a review takes no reaction, but its thread does."""
    if decision.decision == Outcome.IGNORE or decision.number is None:
        return False
    kind = REACTED_TO.get(decision.event) if decision.comment else None
    target = decision.comment if kind and decision.comment else decision.number
    return answers.react(kind or "issue", target, "eyes" if decision.decision == Outcome.RUN else "-1")


def main() -> int:
    """Carry out the step. What is denied is no failure: whoever comments can't make the workflow red."""
    given = environment()
    try:
        decision, greeted = gate(given)
    except AyBotError as error:
        sys.stderr.write(f"ay-bot: error: {error}\n")
        return error.exit_code
    with Path(given["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(outputs(decision, given, greeted=greeted))
    sys.stdout.write(f"{decision.decision}: {decision.reason}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
