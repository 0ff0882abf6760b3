"""The pair of architect and editor."""

import pytest

from ay_bot.agent.loop import Agent
from ay_bot.protocol.conversation import ToolMessage
from ay_bot.protocol.messages import ModelReply, Work
from tests.agent.scripting import ScriptedModel, calls
from tests.agent.test_dialect import AFTER, AS_TEXT, BEFORE

IMPLEMENT = calls(("implement", {"files": ["a.py"], "instructions": "make f return 2"}))
FINISH = calls(("finish", {"summary": "done"}))


class Pair(ScriptedModel):
    """A planner with a script, and an editor with answers of its own."""

    def __init__(self, script, *edits):
        super().__init__(*script)
        self.edits = list(edits)
        self.asked = []

    def __call__(self, request):
        if request.role != "editor":
            assert request.role == "planner"
            return super().__call__(request)
        self.asked.append(request)
        return ModelReply(request_id=request.request_id, content=self.edits.pop(0))


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "work"
    root.mkdir()
    (root / "a.py").write_text(BEFORE)
    return root


def run(place, model, form="auto", **more):
    work = Work(task="make f return 2", architect=True, edit_format=form, **more)
    return Agent(work, place, model, [].append, scratch=place.parent / "scratch").run()


def results(model):
    return [message.content for message in model.requests[-1].messages if isinstance(message, ToolMessage)]


@pytest.mark.parametrize("form", ["auto", "edit", *AS_TEXT])
def test_the_editor_writes_what_the_architect_says(place, form):
    model = Pair([IMPLEMENT, FINISH], AS_TEXT["search_replace" if form in {"auto", "edit"} else form])
    assert run(place, model, form).reason == "finished"
    assert (place / "a.py").read_text() == AFTER
    assert not {tool.name for tool in model.requests[0].tools} & {"edit", "apply_patch"}
    asked = model.asked[0].messages
    assert "make f return 2" in asked[1].content
    assert BEFORE in asked[1].content
    assert model.asked[0].tools == ()


def test_what_cannot_be_applied_goes_back_to_the_editor_once(place):
    wrong = AS_TEXT["search_replace"].replace("return 1", "return 7")
    model = Pair([IMPLEMENT, FINISH], wrong, AS_TEXT["search_replace"])
    run(place, model)
    assert (place / "a.py").read_text() == AFTER
    assert "nothing was written" in model.asked[1].messages[-1].content


def test_then_the_architect_hears_of_it(place):
    wrong = AS_TEXT["search_replace"].replace("return 1", "return 7")
    model = Pair([IMPLEMENT, FINISH, FINISH], wrong, wrong)
    run(place, model)
    assert (place / "a.py").read_text() == BEFORE
    assert "nothing was written" in results(model)[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"files": [], "instructions": "x"}, "`files`"),
        ({"files": ["../outside"], "instructions": "x"}, "outside the workspace"),
        ({"files": ["."], "instructions": "x"}, "is no file"),
        ({"files": ["a.py"]}, "`instructions` is missing"),
    ],
)
def test_what_makes_no_sense_is_refused(place, arguments, says):
    model = Pair([calls(("implement", arguments)), FINISH, FINISH])
    run(place, model)
    assert says in results(model)[0]
    assert not model.asked


def test_a_file_that_holds_fences_is_shown_whole(place):
    (place / "a.py").write_text("````\n```\n")
    model = Pair([IMPLEMENT, FINISH, FINISH], "nothing", "nothing")
    run(place, model)
    assert "`````\n````\n```\n`````" in model.asked[0].messages[1].content
