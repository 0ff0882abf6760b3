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
from ay_bot.host.permissions import HARMLESS_OUTPUTS, WRITE_OUTPUTS, Admission, Ask, Standing

REQUIRED: Final = ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "GITHUB_REPOSITORY")
MOST_REQUESTS: Final = 2
"""What an event may cost that is denied."""
HINT: Final = "this step is started by the Action; see docs/action.md"


def gate(given: Mapping[str, str]) -> Decision:
    """Decide about the event of the run that `given` describes, and show a reaction to who asked."""
    asked: list[str] = []
    token = given.get("INPUT_GITHUB_TOKEN", "")

    def ask(login: str) -> Standing | None:
        from ay_bot.host.github.gate_answers import standing

        asked.append(login)
        return standing(given, token, login) if token else None

    decision = _decide(given, ask)
    if token and len(asked) < MOST_REQUESTS:
        _react(decision, given, token)
    return decision


def outputs(decision: Decision, given: Mapping[str, str]) -> str:
    """Return the lines for GITHUB_OUTPUT: words of ours alone, nothing that somebody wrote."""
    run = "".join(character for character in given.get("GITHUB_RUN_ID", "") if character.isdigit())
    lines = {
        "decision": decision.decision,
        "reason": decision.reason,
        "verb": decision.verb or "",
        "container": f"ay-bot-{run or 'run'}-{secrets.token_hex(4)}",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _decide(given: Mapping[str, str], ask: Ask) -> Decision:
    if missing := [name for name in REQUIRED if not given.get(name)]:
        raise UsageError(f"not set: {', '.join(missing)}", hint=HINT)
    payload = load_payload(given["GITHUB_EVENT_PATH"])
    return decide(given["GITHUB_EVENT_NAME"], payload, _rules(given), ask, given.get("GITHUB_TRIGGERING_ACTOR", ""))


def _rules(given: Mapping[str, str]) -> Rules:
    def listed(name: str) -> tuple[str, ...]:
        return tuple(given.get(name, "").replace(",", " ").split())

    outputs = frozenset(listed("INPUT_OUTPUTS")) or HARMLESS_OUTPUTS | WRITE_OUTPUTS
    admission = Admission(given.get("INPUT_WHO") or "write", listed("INPUT_BOTS"), outputs)
    if problems := list(admission.problems()):
        raise UsageError("; ".join(problems), hint="see docs/gate.md, section Who may ask")
    mention = given.get("INPUT_MENTION", "").lstrip("@/") or Rules().name
    return Rules(mention, given.get("INPUT_LABEL") or Rules().label, admission=admission)


def _react(decision: Decision, given: Mapping[str, str], token: str) -> None:
    """Say at once that somebody was heard, or that they may not ask."""
    if decision.decision == Outcome.IGNORE:
        return
    from ay_bot.host.github.gate_reaction import react

    react(given, token, decision, "eyes" if decision.decision == Outcome.RUN else "-1")


def main() -> int:
    """Carry out the step. What is denied is no failure: whoever comments can't make the workflow red."""
    given = environment()
    try:
        decision = gate(given)
    except AyBotError as error:
        sys.stderr.write(f"ay-bot: error: {error}\n")
        return error.exit_code
    with Path(given["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(outputs(decision, given))
    sys.stdout.write(f"{decision.decision}: {decision.reason}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
