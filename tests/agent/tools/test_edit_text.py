"""Edits in a reply's text: what could be made of a reply that can't be made whole is not lost."""

import pytest

from ay_bot.agent.commands import run_command
from ay_bot.agent.tools.edit_text import EDIT_TEXT
from ay_bot.agent.tools.finish import FINISH
from ay_bot.agent.tools.workbench import Workbench


@pytest.fixture
def bench(tmp_path):
    root, scratch = tmp_path / "work", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    for name in "ab":
        (root / f"{name}.py").write_text("one = 1\ntwo = 2\n")
    return Workbench(root=root, scratch=scratch, run=run_command)


def block(path, search, replace):
    return f"{path}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n\n"


def say(bench, *blocks):
    return EDIT_TEXT.run({"form": "search_replace", "text": "".join(blocks)}, bench)


def texts(bench):
    return [(bench.root / f"{name}.py").read_text() for name in "ab"]


GOOD, BAD = block("a.py", "one = 1", "one = 1\nthree = 3"), block("b.py", "nothing like it", "x")
MENDED = block("b.py", "two = 2", "two = 4")
DONE = ["one = 1\nthree = 3\ntwo = 2\n", "one = 1\ntwo = 4\n"]


@pytest.mark.parametrize(
    "bad", [BAD, "b.py\n<<<<<<< SEARCH\ntwo = 2\n=======\ntwo = 3\n"], ids=["refused", "malformed"]
)
def test_good_blocks_wait_for_the_others(bench, bad):
    refused = say(bench, GOOD, bad)
    assert not refused.ok
    assert "1 other edit can be made and will be, with your next: send the rest only" in refused.text
    assert texts(bench) == ["one = 1\ntwo = 2\n"] * 2
    assert say(bench, MENDED).ok
    assert texts(bench) == DONE
    assert say(bench, block("a.py", "two = 2", "two = 5")).ok
    assert texts(bench)[0] == "one = 1\nthree = 3\ntwo = 5\n", "they are made once"


def test_who_sends_all_again_has_it_made_once(bench):
    say(bench, GOOD, BAD)
    assert say(bench, GOOD, MENDED).ok
    assert texts(bench) == DONE
    say(bench, block("b.py", "one = 1", "one = 1\nsix = 6"), BAD)
    changed = block("./b.py", "one = 1", "one = 1\nseven = 7")
    assert say(bench, changed).ok
    assert texts(bench)[1] == "one = 1\nseven = 7\ntwo = 4\n", "another word on the same lines counts instead"


def test_what_waits_may_have_become_impossible(bench):
    say(bench, GOOD, BAD)
    (bench.root / "a.py").write_text("nothing\n")
    refused = say(bench, MENDED)
    assert not refused.ok
    assert "a.py" in refused.text
    assert texts(bench)[1] == "one = 1\ntwo = 2\n"
    assert say(bench, block("a.py", "nothing", "something")).ok
    assert texts(bench) == ["something\n", "one = 1\ntwo = 4\n"]


def test_what_waits_is_not_forgotten_at_the_end(bench):
    say(bench, GOOD, BAD)
    refused = FINISH.run({"summary": "done"}, bench)
    assert (refused.ends, refused.ok) == (False, False)
    assert "1 edit of an earlier reply" in refused.text
    assert FINISH.run({"summary": "done"}, bench).ends


def test_a_reply_without_an_edit_is_told(bench):
    refused = say(bench, "All is well.")
    assert (refused.ok, refused.failure) == (False, "edit")
