"""A few of the ways in which a model may misbehave; `make chaos` takes them all."""

from pathlib import Path

import pytest

from chaos.misbehaviours import misbehaviours
from chaos.trial import carry_out

BY_NAME = {one.name: one for one in misbehaviours()}
HERE = [
    "arguments nested ten thousand deep",
    "the same id for two calls",
    "chatter for ever",
    "a reset in mid-stream, once",
    "parallel calls in mixed-up pieces",
    "the test weakened",
    "every process killed",
    "a canary carried out",
]


@pytest.mark.bwrap
@pytest.mark.parametrize("name", HERE)
def test_a_run_ends_honestly_whatever_the_model_does(tmp_path: Path, name: str) -> None:
    ended = carry_out(BY_NAME[name], tmp_path)
    assert ended.faults == (), ended.reason


def test_there_are_enough_of_them() -> None:
    names = [one.name for one in misbehaviours()]
    assert len(names) == len(set(names)) >= 40
