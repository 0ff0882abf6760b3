import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ay_bot.protocol.command_rules import CommandPolicy, CommandRule, judge_text, judge_words, split_example

PUSH = CommandRule(prefix=("git", ("push", "send-email")), reason="nothing is pushed from here")
STATUS = CommandRule(prefix=("git", "status"), decision="allow")
POLICY = CommandPolicy(rules=(PUSH, STATUS))


@pytest.mark.parametrize(
    "words",
    [
        "git push",
        "git push origin main",
        "git send-email x",
        "/usr/bin/git push",
        "./git push",
        "env A=1 B=2 git push",
        "env -u HOME git push",
        "sudo -u root -n git push",
        "timeout -s KILL 5 git push",
        "nice -n 5 nohup git push",
        "xargs -n 1 git push",
        "command git push",
        "time -p git push",
    ],
)
def test_a_prefix_is_found_behind_its_wrappers(words: str) -> None:
    assert judge_words(words.split(), POLICY)[:2] == ("forbid", 0)


@pytest.mark.parametrize(
    "words", ["git", "git pull", "git -C x push", "mygit push", "echo git push", "push git", "timeout git push"]
)
def test_another_command_is_another(words: str) -> None:
    assert judge_words(words.split(), POLICY).decision == "allow"


def test_the_strictest_rule_wins_wherever_it_stands() -> None:
    allow, forbid = CommandRule(prefix=("git",), decision="allow"), CommandRule(prefix=("git", "push"))
    for rules in ((allow, forbid), (forbid, allow)):
        judged = judge_words(("git", "push"), CommandPolicy(rules=rules))
        assert rules[judged.rule or 0] is forbid


def test_where_others_are_forbidden_only_what_is_allowed_runs() -> None:
    policy = CommandPolicy(rules=(STATUS, CommandRule(prefix=("pytest",), decision="allow")), others="forbid")
    for allowed in ("git status -s", "pytest -q", "timeout 5 pytest", "cd x", "echo hi", "env"):
        assert judge_words(allowed.split(), policy).decision == ("allow" if allowed != "env" else "forbid")
    for other in ("git push", "rm -rf x", "env rm x"):
        assert judge_words(other.split(), policy)[:2] == ("forbid", None)
    assert judge_words((None, "x"), policy).decision == "forbid"


def test_a_word_that_only_the_shell_knows_matches_nothing() -> None:
    assert judge_words(("git", None), POLICY).decision == "allow"
    assert judge_words((None, "push"), POLICY).decision == "allow"


def test_what_no_parser_understood_is_judged_as_a_whole() -> None:
    assert judge_text("if ( git push", POLICY)[:2] == ("forbid", 0)
    assert judge_text("$(git push", POLICY).decision == "forbid"
    assert judge_text("(((ls", POLICY).decision == "allow"
    assert judge_text("(((git status", CommandPolicy(rules=(STATUS,), others="forbid")).decision == "forbid"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"match": ("git pull",)}, "does not match its own example `git pull`"),
        ({"not_match": ("git push origin",)}, "matches `git push origin`, which it must not"),
        ({"match": ("git push; ls",)}, "`git push; ls` is not one simple command"),
        ({"match": ("git 'push",)}, "`git 'push` can't be read"),
    ],
)
def test_an_example_that_does_not_hold_is_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CommandRule(prefix=("git", "push"), **settings)  # type: ignore[arg-type]


def test_examples_that_hold_are_fine() -> None:
    CommandRule(prefix=("git", "push"), match=("git push", "git push 'a b'"), not_match=("git status", "gitpush"))


@pytest.mark.parametrize("prefix", [(), ("",), ((),), ("git", ())])
def test_a_prefix_says_something(prefix: tuple[object, ...]) -> None:
    with pytest.raises(ValidationError):
        CommandRule(prefix=prefix)  # type: ignore[arg-type]


@given(st.text(max_size=60))
def test_any_example_is_words_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert split_example(text)


@given(st.lists(st.text(max_size=8) | st.none(), max_size=8))
def test_any_words_are_judged(words: list[str | None]) -> None:
    assert judge_words(words, POLICY).decision in {"allow", "forbid"}
    joined = " ".join(word for word in words if word)
    assert judge_text(f"git push {joined}", POLICY).decision == "forbid"
