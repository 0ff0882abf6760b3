import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.agent.guarding import find_command_fault, judge_line
from ay_bot.agent.shell_lines import NotUnderstood, split_line
from ay_bot.protocol.command_rules import CommandPolicy, CommandRule

POLICY = CommandPolicy(rules=(CommandRule(prefix=("git", "push"), reason="the bot publishes"),))


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("ls -l", [("ls", "-l")]),
        ("a; b && c || d | e & f", [("a",), ("b",), ("c",), ("d",), ("e",), ("f",)]),
        ("A=1 git -C 'a b' push \"x\" ori\\ gin > out 2>&1", [("git", "-C", "a b", "push", "x", "ori gin")]),
        ("g'i't pu\"sh\"", [("git", "push")]),
        ("git \\\n push", [("git", "push")]),
        ("echo $X \"$Y\" $(date) {a,b} $'x'", [("echo", None, None, None, None, None), ("date",)]),
        ("sh -c 'a; b'", [("sh", "-c", "a; b"), ("a",), ("b",)]),
        ("env X=1 bash -lc \"a 'b c'\"", [("env", "X=1", "bash", "-lc", "a 'b c'"), ("a", "b c")]),
        ("eval git push", [("eval", "git", "push"), ("git", "push")]),
        ("for f in *; do git add $f; done", [("git", "add", None)]),
        ("f() { a; }; f", [("a",), ("f",)]),
        ("if a; then b; elif c; then d; fi", [("a",), ("b",), ("c",), ("d",)]),
        ("X=`a`; export Y=$(b)", [("a",), ("b",)]),
        ("", []),
        ("# git push", []),
    ],
)
def test_the_simple_commands_of_a_line(line: str, commands: list[tuple[str | None, ...]]) -> None:
    assert list(split_line(line)) == commands


@pytest.mark.parametrize("line", ["(", "if a; then b", "a '", "case x in", "x" * 100_001, "eval " * 3 + "(("])
def test_what_is_no_line_is_not_understood(line: str) -> None:
    with pytest.raises(NotUnderstood):
        list(split_line(line))


@pytest.mark.parametrize(
    "line",
    [
        "git push",
        "cd x && git push origin main",
        "true | git push",
        "(git push)",
        "{ git push; }",
        "! git push",
        'echo "$(git push)"',
        "cat <(git push)",
        "sh -c 'git push'",
        "bash -c \"sh -c 'git push'\"",
        "eval 'git push'",
        "git push <<EOF\nx\nEOF",
        "while true; do git push; done",
        "X=1 timeout 5 env Y=2 git push",
        "/usr/bin/git push",
        "git push (",
        "trap 'x' EXIT; if git push; then :; fi",
    ],
)
def test_a_forbidden_command_is_found_wherever_it_stands(line: str) -> None:
    assert judge_line(line, POLICY).decision == "forbid"
    assert "git push" in find_command_fault(line, POLICY).partition("was not run")[0]
    assert "the bot publishes (rule [git, push])" in find_command_fault(line, POLICY)


@pytest.mark.parametrize(
    "line", ["git status", "echo 'git push'", "grep -r 'git push' .", "# git push\nls", "cat <<EOF\ngit push\nEOF"]
)
def test_words_about_a_command_are_no_command(line: str) -> None:
    assert find_command_fault(line, POLICY) == ""


def test_what_is_not_named_is_refused_where_others_are_forbidden() -> None:
    policy = CommandPolicy(rules=(CommandRule(prefix=("pytest",), decision="allow"),), others="forbid")
    assert find_command_fault("cd a && pytest -q | cat", policy) == (
        "`cat` was not run: only commands with these first words may be run here: [pytest]"
    )
    assert find_command_fault("cd a && timeout 9 pytest -q; echo $?", policy) == ""
    assert find_command_fault("sh -c 'pytest", policy)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="git push;|&()$`'\"\\\n{}<>=#sh -c", max_size=60))
def test_any_line_is_judged(line: str) -> None:
    assert judge_line(line, POLICY).decision in {"allow", "forbid"}
    assert judge_line(f"git push; {line}", POLICY).decision == "forbid"
