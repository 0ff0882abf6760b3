"""Plain values: the box's reader and the host's pydantic read the same messages, and the box's takes no more."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ay_bot.agent.chores import build_reader
from ay_bot.protocol.box_config import BoxConfig, ResourceLimits
from ay_bot.protocol.messages import BoxToHost, HostToBox
from ay_bot.protocol.plain import Plain, PlainReader, read_plain, write_plain
from ay_bot.protocol.plain_messages import BoxFailed, Check, Checked, Exit, Hello, Keep, Kept, Seed, Seeded, Wrote

HOST_SAYS = TypeAdapter(HostToBox)
BOX_SAYS = TypeAdapter(BoxToHost)
CHORES = (Seed, Check, Keep, Exit)
REPORTS = (Hello, Seeded, Wrote, Checked, Kept, BoxFailed)

numbers = st.integers(-(2**53), 2**53)
scalars = st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=9), v, max_size=3))


def made(kind: type[Plain]) -> st.SearchStrategy[Plain]:
    """Any value of a kind. Its `kind` is left to its default, and floats are what JSON can say."""
    hints = {name: hint for name, hint in kind.__annotations__.items() if name != "kind"}
    finite = {float: st.floats(allow_nan=False, allow_infinity=False), int: numbers}
    return st.builds(kind, **{name: finite.get(hint, st.from_type(hint)) for name, hint in hints.items()})


def kinds_of(union: object) -> set[type]:
    return set(get_args(get_args(union)[0]))


def test_a_box_without_an_agent_knows_every_message_that_is_plain():
    assert {kind for kind in kinds_of(HostToBox) if issubclass(kind, Plain)} == set(CHORES)
    assert {kind for kind in kinds_of(BoxToHost) if issubclass(kind, Plain)} == set(REPORTS)
    for kind in CHORES:
        value = {"body_size": 0} if kind is Seed else {"command": "", "timeout": 1.0, "report": ""}
        message = kind(**({} if kind in {Exit, Keep} else value))
        assert build_reader().validate_json(write_plain(message).encode()) == message


@given(st.one_of(*map(made, CHORES)))
def test_both_readers_read_what_the_host_writes(message):
    line = write_plain(message).encode()
    assert b"\n" not in line
    assert build_reader().validate_json(line) == HOST_SAYS.validate_json(line) == message


@given(st.one_of(*map(made, REPORTS)))
def test_the_host_reads_what_a_box_writes(message):
    assert BOX_SAYS.validate_json(write_plain(message).encode()) == message


@given(made(BoxConfig))
def test_a_box_reads_what_it_is_started_with(config):
    assert read_plain(BoxConfig, write_plain(config)) == TypeAdapter(BoxConfig).validate_json(write_plain(config))
    assert read_plain(BoxConfig, write_plain(config)) == config


@given(st.one_of(*map(made, (*CHORES, *REPORTS))), st.data())
def test_what_the_plain_reader_takes_the_host_would_take_too(message, data):
    """One field is dropped, added or replaced by anything: no line means one thing to a box and another to the host."""
    fields = json.loads(write_plain(message))
    name = data.draw(st.sampled_from(sorted(fields)) | st.text(max_size=9))
    if data.draw(st.booleans()):
        fields[name] = data.draw(values)
    else:
        fields.pop(name, None)
    line = json.dumps(fields).encode()
    try:
        read = PlainReader((*CHORES, *REPORTS)).validate_json(line)
    except ValueError:
        return
    assert (HOST_SAYS if type(message) in CHORES else BOX_SAYS).validate_json(line) == read


SEED = {"kind": "seed", "body_size": 3}


@pytest.mark.parametrize(
    "said",
    [
        [],
        "seed",
        {},
        {"kind": "work", "task": "t"},
        {"kind": ["seed"], "body_size": 3},
        {"kind": "seed"},
        {**SEED, "more": 1},
        {**SEED, "body_size": "3"},
        {**SEED, "body_size": True},
        {**SEED, "body_size": 3.0},
        {**SEED, "setup": None},
        {"kind": "check", "command": "", "timeout": "1", "report": ""},
        {"kind": "check", "command": "", "timeout": float("inf"), "report": ""},
        {"kind": "check", "command": "", "timeout": float("nan"), "report": ""},
        {"kind": "check", "command": "", "timeout": 10**400, "report": ""},
        {"kind": "check", "command": "", "timeout": 1, "report": "", "environment": {"A": 1}},
        {"kind": "check", "command": "", "timeout": 1, "report": "", "environment": [["A", "B"]]},
    ],
    ids=repr,
)
def test_a_line_that_is_no_message_is_refused(said):
    with pytest.raises(ValueError, match=r"none of|fields|can't be|no number"):
        build_reader().validate_json(json.dumps(said).encode())


def test_a_line_that_is_not_json_is_refused():
    with pytest.raises(ValueError, match="Expecting"):
        build_reader().validate_json(b"{kind")


def test_what_lies_within_is_read_as_strictly():
    text = write_plain(BoxConfig(deadline=1, limits=ResourceLimits(data=5)))
    assert read_plain(BoxConfig, text).limits == ResourceLimits(data=5)
    with pytest.raises(ValueError, match="ResourceLimits has fields too many or too few: more"):
        read_plain(BoxConfig, text.replace('"data":5', '"data":5,"more":1'))
    with pytest.raises(ValueError, match="ResourceLimits is an object, not 7"):
        read_plain(BoxConfig, '{"deadline":1,"limits":7}')


@pytest.mark.parametrize("kind", REPORTS, ids=lambda kind: kind.__name__)
def test_on_the_hosts_side_the_same_classes_are_closed(kind):
    with pytest.raises(ValidationError, match=r"extra_forbidden|unexpected_keyword_argument"):
        BOX_SAYS.validate_json(json.dumps({"kind": kind.kind, "more": 1}))


def test_numbers_that_json_has_not_are_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_plain(Check(command="", timeout=float("inf"), report=""))
