"""The plan that the agent keeps with its tool stands in the tracking comment, as far along as it is."""

from ay_bot.host.github.tracking_events import heard
from ay_bot.host.github.tracking_text import render_comment
from ay_bot.protocol.events import AssistantSaid, PhaseStarted, PlanChanged, PlanStep
from tests.host.github.stories import make_story, told


def test_the_agents_plan_is_shown_and_ticked_off() -> None:
    story = heard(make_story(), told(PhaseStarted(phase="session")))
    steps = (PlanStep(text="find the cause", state="doing"), PlanStep(text="mend it, then tell @bob"))
    story = heard(story, told(PlanChanged(steps=steps), "agent"))
    text = render_comment(story, 1)
    assert "- [ ] find the cause" in text
    story = heard(story, told(PlanChanged(steps=(steps[0].model_copy(update={"state": "done"}), steps[1])), "agent"))
    story = heard(story, told(AssistantSaid(text="On I go."), "agent"))
    text = render_comment(story, 1)
    assert "- [x] find the cause" in text
    assert "- [ ] mend it, then tell" in text
    assert "@bob" not in text
