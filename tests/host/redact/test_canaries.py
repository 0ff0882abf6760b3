"""Canaries are new for each run, look like keys, and are recognised in whatever leaves a box."""

import pytest
from encodings_of_secrets import ENCODINGS

from ay_bot.host.redact.canaries import NAMES, channel_of, describe, plant
from ay_bot.host.redact.redactor import Redactor


def test_each_run_has_its_own():
    assert plant() != plant()
    assert set(plant().environment) == set(NAMES)


def test_at_21_a_canary_has_the_shape_of_a_key():
    shapes = Redactor()
    assert all(shapes.find(value.encode()) for value in plant().values)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_at_28_a_canary_is_seen_in_any_form_and_its_channel_is_named(encode):
    canaries = plant()
    redactor = Redactor(("a-real-secret-of-ours-09",), canaries.values)
    sent = encode(canaries.values[1]).encode()
    channels = [("the summary", b"fine"), ("the commit message", b"fix: it\n\n" + sent), ("the tree", sent)]
    assert channel_of(redactor, channels) == "the commit message"
    assert channel_of(redactor, [("the summary", b"a-real-secret-of-ours-09")]) == ""
    assert "the commit message" in describe("the commit message")[0]


def test_the_names_of_canaries_are_no_canaries():
    redactor = Redactor((), plant().values)
    assert not redactor.find(" ".join(NAMES).encode())
