"""Settings: where they come from, and that all problems are told at once."""

import json
from pathlib import Path

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.settings_file import load_settings, settings_schema

MODEL = Overrides(model="openai/scripted")


def test_the_command_line_beats_the_file_and_the_file_beats_the_defaults():
    file = b"model: a/b\ntest: make check\nmax_cost: 1.5\n"
    settings = load_settings(file, Overrides(max_cost=0.25))
    assert (settings.model, settings.test, settings.max_cost, settings.max_steps) == ("a/b", "make check", 0.25, 100)


@pytest.mark.parametrize(
    ("file", "said", "counts"),
    [
        (b"", "on", "on"),
        (b"review: on", "off", "on"),
        (b"review: on", "strict", "strict"),
        (b"review: 'strict'", "on", "strict"),
        (b"review: off", "on", "on"),
        (b"review: strict", None, "strict"),
    ],
)
def test_a_caller_can_make_the_review_stricter_and_not_milder(file, said, counts):
    assert load_settings(file, MODEL.model_copy(update={"review": said})).review == counts


def test_a_caller_can_require_more_of_the_wall_and_not_less():
    file = b"require: [memory, cpu]"
    assert load_settings(file, MODEL.model_copy(update={"require": ("cpu", "kernel")})).require == (
        "memory", "cpu", "kernel",
    )  # fmt: skip
    assert load_settings(file, MODEL).require == ("memory", "cpu")
    assert load_settings(None, MODEL.model_copy(update={"require": ("kernel",)})).require == ("kernel",)


@pytest.mark.parametrize(
    "file", [b"review: [on]", b"review: {on: off}", b"require: 7", b"require: {a: b}", b"review: 1"]
)
def test_what_is_no_mode_and_no_list_is_still_refused(file):
    with pytest.raises(UsageError):
        load_settings(file, Overrides(model="a/b", review="on", require=("disk",)))


def test_all_problems_are_told_at_once_with_where_they_stand():
    with pytest.raises(UsageError) as caught:
        load_settings(b"max_steps: many\ncolour: red\n", Overrides(model="a/b", max_cost=-1, sandbox="chroot"))
    text = str(caught.value)
    for part in ("--max-cost", "--sandbox", "`max_steps` in .github/ay-bot.yml", "`colour` in .github/ay-bot.yml"):
        assert part in text


def test_a_pattern_that_is_none_is_told_where_it_was_given():
    with pytest.raises(UsageError, match=r"^--load: .*\.gitignore"):
        load_settings(b"load: [src]", Overrides(model="a/b", load=("!",)))
    with pytest.raises(UsageError, match=r"^`load` in \.github/ay-bot\.yml: .*\.gitignore"):
        load_settings(b"load: ['!']", Overrides(model="a/b"))


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


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"max_step: 3\n", "did you mean `max_steps`?"),
        (b"max-cost: 3\n", "did you mean `max_cost`?"),
        (b"publishing: {label: [x]}\n", "did you mean `labels`?"),
        (b"maintenance: [{name: a, tasks: x}]\n", "did you mean `task`?"),
        (b"who: '*'\n", "*"),
        (b"who: everybody\n", "`who` in"),
        (b"maintenance: [{name: a}]\n", "needs a `task:`"),
        (b"maintenance: [{name: a, task: x, schedule: daily}]\n", "no cron expression"),
        (b"maintenance: [{name: a, task: x, schedule: R * * * *}]\n", "no cron expression"),
        (b"maintenance: [{name: a, task: x, paths: ['!']}]\n", r"`paths` of `a`"),
        (b"maintenance: [{name: a, task: x}, {name: a, task: y}]\n", "two chores `a`"),
        (b"maintenance: [{name: Not A Name, task: x}]\n", "maintenance.0.name"),
        (b"outputs: [fly]\n", "`outputs.0`"),
    ],
)
def test_what_is_wrong_on_the_github_side_is_said_with_a_way_out(file: bytes, said: str):
    with pytest.raises(UsageError) as caught:
        load_settings(file, MODEL)
    assert said in str(caught.value)


def test_anybody_may_ask_where_nothing_is_written():
    settings = load_settings(b"who: '*'\noutputs: [comment, noop]\n", MODEL)
    assert (settings.who, settings.outputs) == ("*", ("comment", "noop"))


def test_the_committed_schema_is_that_of_the_code():
    committed = (Path(__file__).parents[2] / "docs" / "config.schema.json").read_text()
    assert committed == settings_schema()
    assert all("description" in field for field in json.loads(committed)["properties"].values())


@pytest.mark.parametrize("schedule", ["H 6 * * 1", "H H * * *", "H(0-29) 3 * * MON-FRI", "0 6 * MAR FRI"])
def test_a_schedule_may_have_a_place_of_its_own(schedule):
    settings = load_settings(f"maintenance: [{{name: a, task: x, schedule: {schedule}}}]\n".encode(), MODEL)
    assert settings.maintenance[0].schedule == schedule
