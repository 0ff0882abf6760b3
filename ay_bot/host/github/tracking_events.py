"""What the events and the result of a run mean for people who follow it: pure functions from story to story."""

from ay_bot.errors import ExitCode
from ay_bot.host.github.tracking_marker import FINAL, State, advance
from ay_bot.host.github.tracking_text import PlanItem, Story, parse_checklist
from ay_bot.host.report import Result, Withheld
from ay_bot.protocol.events import (
    AgentEvent,
    AssistantSaid,
    HostEvent,
    ModelAnswered,
    Noticed,
    PathRefused,
    Phase,
    PhaseStarted,
    PlanChanged,
    Record,
    StepStarted,
)

_MEANS: dict[Phase, State] = {
    "repository": "planning", "config": "planning", "image": "planning", "box": "planning", "seed": "planning",
    "session": "working", "changes": "verifying", "checks": "verifying", "message": "publishing",
    "publish": "publishing",
}  # fmt: skip
"""`baseline` is missing: it runs beside the agent."""
_HINTS: dict[str, str] = {
    "tests_failed": "look at the tests above, and say what is missing.",
    "refused": "say what should be done without that, or do that part by hand.",
    "no_change": "say more exactly what should change, and where.",
    "stopped": "raise the cap, or make the task smaller.",
}
MOST_NOTICES = 20


def heard(story: Story, record: Record) -> Story:
    """Return the story after an event; what the agent tells fills its own places only."""
    if not isinstance(record.event, PhaseStarted):
        return story.model_copy(update=_learnt(story, record.event))
    if record.event.phase == "changes":  # what was withheld in an earlier round is past
        story = story.model_copy(update={"withheld": ()})
    return moved(story, _state_of(story, record.event.phase)) if record.event.phase in _MEANS else story


def _learnt(story: Story, event: HostEvent | AgentEvent) -> dict[str, object]:  # noqa: PLR0911 - one for each kind
    match event:
        case ModelAnswered():
            return {"usage": event.total}
        case StepStarted():
            return {"step": event.step}
        case AssistantSaid():
            return {"plan": parse_checklist(event.text) or story.plan}
        case PlanChanged():
            return {"plan": tuple(PlanItem(text=step.text, done=step.state == "done") for step in event.steps)}
        case Noticed():
            return {"notices": (*story.notices, event.text)[-MOST_NOTICES:]}
        case PathRefused():
            return {"withheld": (*story.withheld, Withheld(path=event.path, rule=event.rule))}
        case _:
            return {}


def moved(story: Story, state: State) -> Story:
    """Return the story in another state, where it may get there."""
    if story.state in FINAL:
        return story
    reached = story.state if state in FINAL else story.reached
    return story.model_copy(update={"state": advance(story.state, state), "reached": reached})


def after_result(story: Story, result: Result) -> Story:
    """Return the story of a run that ended with `result`."""
    reason, _, hint = result.reason.partition("\n\nhint: ")
    known = {
        "verification": result.verification,
        "usage": result.usage,
        "withheld": result.withheld,
        "notices": result.notices[-MOST_NOTICES:],
        "url": result.url,
        "branch": result.branch,
        "reason": reason,
        "hint": hint or _HINTS.get(result.status, ""),
    }
    return moved(story, state_after(result)).model_copy(update=known)


def state_after(result: Result) -> State:
    """Return the final state that a result means."""
    match result.status:
        case "verified" | "answered":
            return "done"
        case "refused" | "no_change":
            return "blocked"
        case "tests_failed":
            return "failed"
        case "stopped" | "error":
            return "cancelled" if result.exit_code == ExitCode.INTERRUPTED else "failed"


def _state_of(story: Story, phase: Phase) -> State:
    state = _MEANS[phase]
    return "planning" if story.verb == "plan" and state == "working" else state
