"""A task is measured by counts that anybody can check, always alike."""

from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.models.hardness import LOCATED, WEIGHTS, measure

EASY = "Fix the typo in README.md."
HARD = """Refactor the scheduler so that all callers across the project use the new protocol; keep performance.

- migrate a.py, b.py, c.py, src/d.py, e.py and f.py
- keep the API backwards compatible
- no race condition, no deadlock
- one
- two
- three
"""
FILES = ["a.py", "b.py", "c.py", "src/d.py", "e.py", "f.py", "README.md", *(f"x/{n}.go" for n in range(5_000))]


def test_hard_is_harder_than_easy():
    easy, hard = measure(EASY, FILES), measure(HARD, FILES)
    assert easy.score < 0.25 < 0.6 < hard.score
    assert hard.features["named_files"] == 6
    assert hard.features["steps"] == 6
    assert hard.features["languages"] == 2


def test_a_stack_trace_says_where_to_look():
    trace = EASY + '\nTraceback:\n  File "a.py", line 3, in f\n'
    assert measure(trace, []).features["frames"] == 1
    assert measure(trace, []).score < measure(EASY + " all callers deadlock", []).score


def test_the_weights_come_to_one():
    assert abs(sum(weight.share for weight in WEIGHTS.values()) - 1.0) < 1e-9
    assert LOCATED < 0.25


@given(st.text(), st.lists(st.text(), max_size=20), st.integers(0, 20))
def test_any_task_has_a_hardness(task, files, images):
    found = measure(task, files, images)
    assert 0 <= found.score <= 1
    assert found == measure(task, list(reversed(files)), images), "the order of files says nothing"


def test_the_size_of_a_task_costs_no_time():
    assert measure("a/" * 2_000_000 + "- " * 1_000_000, []).score < 1
