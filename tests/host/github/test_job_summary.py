"""The summary of a job: everything that matters is in it, and nothing in it is anything but text."""

from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.github.job_summary import Surroundings, render_short_summary, render_summary
from ay_bot.host.github.runner_files import LONGEST_SUMMARY
from ay_bot.host.github.thread import HiddenText
from ay_bot.host.report import SuiteRun, Verification, Withheld
from tests.host.github.stories import PROOF, make_result

AROUND = Surroundings(requester="alice", run_url="https://github.com/o/r/actions/runs/1", max_cost=2, max_tokens=9000)


def test_result_proof_cost_times_notices_and_paths_are_told() -> None:
    run = SuiteRun(purpose="base_tests", tree="a" * 40, ending="ok", seconds=1.25, passed=1, failed=0, skipped=0)
    result = make_result(
        verification=PROOF.model_copy(update={"runs": (run,)}),
        withheld=(Withheld(path=".github/workflows/x.yml", rule="workflows stay"),),
        review=("setup.py",),
        notices=("the work tree is dirty",),
    )
    around = AROUND.model_copy(update={"blocked": ("E004 domains: output 1 not sent",)})
    text = render_summary(result, around)
    assert text.startswith("## ay-bot: verified\n\n> the tests prove it\n")
    for part in (
        "| asked by | `alice` |",
        "| pull request | [https://github.com/o/r/pull/12](https://github.com/o/r/pull/12) |",
        "| cost | $0.4100 of $2.00, 1,200 of 9,000 tokens in 3 requests |",
        "| time | 3m 2s |",
        "| blocked requests | 1 |",
        "| `test_spoon.py::test_a\\|b` | failed | passed | fixed |",
        "| base tests | `aaaaaaaaaaaa` | `ok` | 1 | 0 | 0 | 1.2 |",
        "- E004 domains: output 1 not sent",
        "- `.github/workflows/x.yml`: workflows stay",
        "- `setup.py`",
        "- the work tree is dirty",
        "| session | 12.0 |",
    ):
        assert part in text, part


def test_a_failure_says_what_to_do() -> None:
    failed = make_result(status="error", reason="no key\n\nhint: set one", verification=None, url="", branch="")
    assert "> no key\n\n**What to do:** set one\n" in render_summary(failed, Surroundings())
    short = render_short_summary("denied", "permission-too-low: @mallory", "ask a maintainer", AROUND.run_url)
    assert short.startswith("## ay-bot: denied\n\n> permission-too-low: @ mallory\n")
    assert "**What to do:** ask a maintainer" in short
    assert "[run](https://github.com/o/r/actions/runs/1)" in short


@given(st.text(alphabet=st.sampled_from("`|<>![]()#@&;\n\r ax1:/-") | st.characters(), max_size=60))
def test_at_30_words_of_others_load_and_call_nothing(text: str) -> None:
    hidden = HiddenText(author=text, where=text, kind=text, decoded=text)
    result = make_result(
        reason=f"{text}<img src=x>![a](https://e.example/{text})@bob", notices=(text,), review=(text,), model=text,
        branch=text, withheld=(Withheld(path=text, rule=text),), url=text,
    )  # fmt: skip
    shown = render_summary(result, Surroundings(blocked=(text,), hidden=(hidden,), thread_url=text))
    assert "<img" not in shown
    assert "![" not in "".join(shown.split("`")[::2])
    assert "@bob" not in shown
    assert shown.count("<details>") == shown.count("</details>") == 1


def test_even_the_longest_is_one_that_the_runner_takes() -> None:
    long = "x" * 100_000
    result = make_result(
        reason=long, notices=(long,) * 5000, review=(long,) * 5000, verification=Verification(command=long, image=long),
        withheld=(Withheld(path=long, rule=long),) * 5000,
    )  # fmt: skip
    assert len(render_summary(result, Surroundings(blocked=(long,) * 5000)).encode()) < LONGEST_SUMMARY


def test_hints_say_the_name_that_the_bot_is_called_by() -> None:
    summary = render_short_summary("blocked", "why", "say `@ay retry`", mention="robo")
    assert "`@robo retry`" in summary
