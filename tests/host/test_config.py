"""Settings: where they come from, and that all problems are told at once."""

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides, load_settings

MODEL = Overrides(model="openai/scripted")


def test_the_command_line_beats_the_file_and_the_file_beats_the_defaults():
    file = b"model: a/b\ntest: make check\nmax_cost: 1.5\n"
    settings = load_settings(file, Overrides(max_cost=0.25))
    assert (settings.model, settings.test, settings.max_cost, settings.max_steps) == ("a/b", "make check", 0.25, 100)


def test_all_problems_are_told_at_once_with_where_they_stand():
    with pytest.raises(UsageError) as caught:
        load_settings(b"max_steps: many\ncolour: red\n", Overrides(model="a/b", max_cost=-1, sandbox="chroot"))
    text = str(caught.value)
    for part in ("--max-cost", "--sandbox", "`max_steps` in .github/ay-bot.yml", "`colour` in .github/ay-bot.yml"):
        assert part in text


def test_no_model_says_how_to_give_one():
    with pytest.raises(UsageError, match="no model was given") as caught:
        load_settings(None, Overrides())
    assert "--model" in caught.value.hint


@pytest.mark.parametrize("file", [b"- a\n- b\n", b"a: [", b"\xff\xfe", b"1: 2\n", b"!!python/object:os.system {}\n"])
def test_a_file_that_is_no_table_is_a_usage_error(file):
    with pytest.raises(UsageError, match=r"ay-bot\.yml"):
        load_settings(file, MODEL)


@pytest.mark.parametrize("file", [None, b"", b"# nothing\n"])
def test_an_absent_or_empty_file_changes_nothing(file):
    assert load_settings(file, MODEL) == load_settings(None, MODEL)


def test_a_repository_cannot_say_where_keys_are_sent():
    with pytest.raises(UsageError, match="api_base"):
        load_settings(b"api_base: http://elsewhere/\n", MODEL)
