import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.branch import check_branch_name
from ay_bot.host.github.branch_name import branch_name, build_branch_name, is_own_branch, slug
from tests.host.github.publishing import ask

EVIL = (
    "x$(touch${IFS}/tmp/p)", "-oProxyCommand=x", "a;b", "--upload-pack=touch p", "a..b", "a@{b", "x.lock", "\0\n\r", "..",
    "`id`", "refs/heads/main", "HEAD", "\u202egnp", "\ufb01x \uff21\uff22", "é" * 300, "a" * 300, "- - -", "🤖", "%0A::set-env", "x/../../y",
)  # fmt: skip


def is_branch_name(name: str) -> bool:
    return (
        subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.parametrize("title", EVIL)
def test_at_11_no_title_makes_an_evil_name(title: str) -> None:
    name = branch_name(ask(title=title))
    assert is_branch_name(name)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789/-")


@given(st.text(max_size=400), st.integers(1, 2**53))
@example("\ud7ff" * 100, 1)
def test_at_11_every_name_is_plain_and_bounded(title: str, number: int) -> None:
    name = branch_name(ask(title=title, number=number))
    check_branch_name(name)
    assert name.startswith(f"ay/{number}-")
    assert len(name) <= 80
    assert is_own_branch(name)


@settings(max_examples=25)
@given(st.text(max_size=60))
def test_at_11_git_takes_every_name(title: str) -> None:
    assert is_branch_name(branch_name(ask(title=title)))


def test_the_name_is_stable_and_tells_what_it_is() -> None:
    first = ask(number=17, title="Overdraft: balance goes below zero!")
    assert branch_name(first) == branch_name(first.model_copy(update={"made": first.made.replace(year=2027)}))
    assert branch_name(first) == f"ay/17-overdraft-balance-goes-below-zero-{first.key[:8]}"
    assert branch_name(first) != branch_name(first.model_copy(update={"comment": 100}))


def test_a_chore_has_a_name_too() -> None:
    assert build_branch_name("chore", "dependencies", "") == "ay/chore-dependencies"
    with pytest.raises(UsageError):
        build_branch_name("", "", "")


def test_words_are_cut_between() -> None:
    assert slug("one two three", 9) == "one-two"
    assert slug("onetwothree", 5) == "onetw"
    assert slug("***", 5) == ""
