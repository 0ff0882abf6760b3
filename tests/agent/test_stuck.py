"""The stuck detector: by hand, and against labelled sequences of other systems."""

import json
import os
from pathlib import Path

import pytest

from ay_bot.agent.stuck import StuckDetector, digest_files, normalise

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("AY_CONFORMANCE", ROOT.parent / "shared" / "conformance"))


def act(detector, times, action="x", outcome="y", failure=""):
    return [detector.acted("shell", action, outcome, failure) for _ in range(times)]


def test_the_same_call_with_the_same_result_four_times():
    patterns = act(StuckDetector(), 4)
    assert patterns[:3] == ["", "", ""]
    assert "four times" in patterns[3]


def test_a_result_that_makes_progress_is_not_stuck():
    detector = StuckDetector()
    assert not any(detector.acted("shell", "make", f"{n} of 20 done") for n in range(20))


def test_volatile_output_is_the_same_result():
    detector = StuckDetector()
    found = [
        detector.acted("run_tests", "{}", f"1 failed in {n}.31s at 2026-01-01 10:00:0{n} 0x7f{n}a") for n in range(4)
    ]
    assert found[3]


def test_the_same_failing_call_three_times():
    detector = StuckDetector()
    found = [detector.acted("edit", "same", f"error {n}", failure="edit") for n in range(3)]
    assert found[:2] == ["", ""]
    assert "three times" in found[2]


def test_failing_in_the_same_way_with_other_arguments():
    detector = StuckDetector()
    found = [detector.acted("edit", f"a{n}", f"error: line {n} is wrong", failure="edit") for n in range(4)]
    assert "same way" in found[3]


@pytest.mark.parametrize("period", [2, 3, 4])
def test_cycles(period):
    detector = StuckDetector()
    found = [detector.acted("shell", f"step {n % period}", "result") for n in range(3 * period)]
    assert not any(found[:-1])
    assert str(period) in found[-1]


def test_three_like_messages():
    detector = StuckDetector()
    assert [bool(detector.said("I will now do it.")) for _ in range(3)] == [False, False, True]


def test_counts_stay_and_noise_goes():
    assert normalise("3 passed in 0.12s /tmp/abc/x pid 77") == normalise("3 passed in 9.99s /tmp/other pid 12")
    assert normalise("3 passed") != normalise("4 passed")


def is_stuck(events):
    """Whether any pattern shows at the end of the events, as the peers' rows ask."""
    detector = StuckDetector()
    pattern, action = "", ""
    for event in events:
        match event["t"]:
            case "user":
                detector, pattern = StuckDetector(), ""
            case "agent":
                pattern = detector.said(event.get("text", ""))
            case "act":
                action = event["cmd"]
            case "obs":
                pattern = detector.acted("shell", action, f"{event['exit']} {event['out']}") or pattern
            case "err":
                pattern = detector.acted("shell", action, event["text"], failure="error") or pattern
    return bool(pattern)


def test_labelled_sequences(capsys):
    path = CASES / "openhands-stuck" / "sequences.jsonl"
    if not path.exists():
        pytest.skip(f"no conformance cases at {path}")
    cases = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    judged = [case for case in cases if case["label"] is not None]
    missed = [case["id"] for case in judged if case["label"] and not is_stuck(case["events"])]
    false_alarms = [case["id"] for case in judged if not case["label"] and is_stuck(case["events"])]
    with capsys.disabled():
        print(f"\nopenhands-stuck {len(judged) - len(missed) - len(false_alarms)}/{len(judged)}")
    assert not false_alarms
    assert not missed


def test_files_that_come_and_go():
    detector = StuckDetector()
    found = [detector.edited(state) for state in ("one", "two", "one", "two", "one")]
    assert found[:4] == ["", "", "", ""]
    assert "3rd time" in found[4]


def test_files_that_come_and_go_while_more_tests_pass():
    detector = StuckDetector()
    for passed, state in enumerate(("one", "two", "one", "two", "one", "two", "one")):
        assert not detector.edited(state)
        detector.tested(passed)


def test_nothing_new_after_an_edit():
    detector = StuckDetector()
    looks = [("ls", "a b"), ("cat a", "A"), ("cat b", "B"), ("git diff", "A to B"), ("git log", "one")]
    before = [detector.acted("shell", *look) for look in looks]
    detector.edited("edited")
    found = [detector.acted("shell", *looks[number * 3 % 5]) for number in range(10)]
    assert not any(before)
    assert not any(found[:-1])
    assert "nothing new" in found[-1]


def test_looking_without_an_edit_is_no_standstill():
    detector = StuckDetector()
    order = [0, 1, 2, 3, 4, 1, 3, 0, 4, 2, 0, 3, 1, 4, 2, 2, 0, 1]
    assert not any(detector.acted("shell", f"look {number}", f"seen {number}") for number in order)


def test_the_digest_of_files(tmp_path):
    one, gone = tmp_path / "one", tmp_path / "gone"
    one.write_text("1")
    before = digest_files({one, gone})
    assert digest_files([gone, one]) == before
    gone.write_text("")
    assert digest_files({one, gone}) != before
