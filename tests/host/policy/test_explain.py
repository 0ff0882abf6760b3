import shlex
from pathlib import Path

import pytest
import yaml

from ay_bot.agent.guarding import judge_line
from ay_bot.errors import UsageError
from ay_bot.host.config import CONFIG_FILE
from ay_bot.host.policy.answers import Explanation, render_explanation
from ay_bot.host.policy.explain import explain, parse_kind
from ay_bot.host.policy.source import find_line, open_policy
from tests.host.git_repositories import make_repository

CONFIG = """\
model: openai/x
network:
  setup:
    mode: allowlist
    presets:
      - pip
    hosts: [example.org, "*.example.net"]
files:
  - {paths: [secrets/], read: deny, reason: keys of customers}
  - paths: [/vendor/]
    write: never
    reason: it is generated
commands:
  - prefix: [git, [push, send-email]]
    reason: the bot publishes
    match: [git push origin]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = {CONFIG_FILE: CONFIG, "a.py": "x", "secrets/k": "x", "Makefile": "x", "docs/example.com": "x"}
    return make_repository(tmp_path / "repository", files)


def ask(repository: Path | None, text: str, kind: str = "") -> Explanation:
    with open_policy(repository) as source:
        return explain([text], source, judge_line, parse_kind(kind))


def short(explanation: Explanation) -> list[tuple[str, str]]:
    return [(answer.verdict, answer.where) for answer in explanation.answers]


@pytest.mark.parametrize(
    ("host", "setup"),
    [
        ("pypi.org", ("allowed", f"{CONFIG_FILE}:5")),
        ("https://PyPI.org/simple/x?y", ("allowed", f"{CONFIG_FILE}:5")),
        ("http://a.example.net:80", ("allowed", f"{CONFIG_FILE}:7")),
        ("https://example.org.", ("allowed", f"{CONFIG_FILE}:7")),
        ("https://example.net", ("refused", f"{CONFIG_FILE}:4")),
        ("registry.npmjs.org", ("refused", f"{CONFIG_FILE}:4")),
        ("https://pypi.org:22", ("refused", "built-in")),
        ("https://pypi.org@evil.example", ("refused", f"{CONFIG_FILE}:4")),
        ("10.0.0.1", ("refused", "built-in")),
        ("8.8.8.8", ("refused", "built-in")),
        ("http://[::1]/", ("refused", "built-in")),
        ("http://169.254.169.254/latest", ("refused", "built-in")),
        ("http://0x7f.1/", ("refused", "built-in")),
        ("http://localhost", ("refused", "built-in")),
    ],
)
def test_a_host(repository: Path, host: str, setup: tuple[str, str]) -> None:
    explanation = ask(repository, host)
    assert explanation.kind == "host"
    agent = ("refused", "the default" if setup[1] != "built-in" else "built-in")
    assert short(explanation) == [setup, agent, ("refused", "built-in")]


@pytest.mark.parametrize(
    ("path", "seen", "changed"),
    [
        ("a.py", ("allowed", "the default"), ("allowed", "the default")),
        ("secrets/k", ("hidden", f"{CONFIG_FILE}:9"), ("withheld", f"{CONFIG_FILE}:9")),
        ("vendor/x/y.js", ("allowed", "the default"), ("withheld", f"{CONFIG_FILE}:10")),
        ("Makefile", ("allowed", "the default"), ("review", "built-in rule makefile*")),
        (".github/workflows/x.yml", ("allowed", "the default"), ("withheld", "built-in rule .github/workflows/")),
        ("a/../b", ("allowed", "the default"), ("refused", "built-in")),
        ("CON.txt/x", ("allowed", "the default"), ("refused", "built-in")),
    ],
)
def test_a_path(repository: Path, path: str, seen: tuple[str, str], changed: tuple[str, str]) -> None:
    explanation = ask(repository, path)
    assert (explanation.kind, short(explanation)) == ("path", [seen, changed])


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("git push origin main", ("refused", f"{CONFIG_FILE}:14")),
        ("cd x && env A=1 git send-email", ("refused", f"{CONFIG_FILE}:14")),
        ("git status", ("allowed", "the default")),
        ("make", ("allowed", "the default")),
    ],
)
def test_a_command(repository: Path, command: str, answer: tuple[str, str]) -> None:
    explanation = ask(repository, command)
    assert (explanation.kind, short(explanation)) == ("command", [answer])


def test_several_words_are_a_command(repository: Path) -> None:
    with open_policy(repository) as source:
        explanation = explain(["git", "push", "a b"], source, judge_line)
    assert (explanation.kind, explanation.subject) == ("command", "git push 'a b'")


def test_a_word_that_may_be_two_things_has_to_be_named(repository: Path) -> None:
    with pytest.raises(UsageError, match=r"`thing\.dev` may be a host or a path"):
        ask(repository, "thing.dev")
    assert ask(repository, "thing.dev", "host").kind == "host"
    assert ask(repository, "thing.dev", "path").kind == "path"
    assert ask(repository, "a.py", "command").kind == "command"
    with pytest.raises(UsageError, match="choose host, path, command"):
        ask(repository, "thing.dev", "planet")


CASES = [
    ("pypi.org", "host"), ("some.example", "host"), ("a.py", "path"), ("x/[y] *.py", "path"), ("Makefile", "path"),
    ("git push origin", "command"), ("make", "command"), ("yes | on -x", "command"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "kind"), CASES)
def test_the_change_that_is_shown_turns_it_round(tmp_path: Path, subject: str, kind: str) -> None:
    before = ask(None, subject, kind)
    for at, answer in enumerate(before.answers):
        if not answer.change:
            continue
        file = tmp_path / "policy.yml"
        file.write_text(answer.change)
        assert set(yaml.safe_load(answer.change)) <= {"network", "files", "commands", "publishing"}
        with open_policy(None, file) as source:
            after = explain([subject], source, judge_line, parse_kind(kind)).answers[at]
        if answer.verdict != "review":  # whose change is to how it is published
            assert (after.verdict == "allowed") is not (answer.verdict == "allowed"), answer.change


def test_a_forbidden_command_can_be_allowed_where_others_are_not(tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text("other_commands: forbid")
    with open_policy(None, file) as source:
        refused = explain(["make", "check"], source, judge_line).answers[0]
    assert (refused.verdict, refused.where) == ("refused", f"{file}:1")
    file.write_text(f"other_commands: forbid\n{refused.change}")
    with open_policy(None, file) as source:
        assert explain(["make", "check"], source, judge_line).answers[0].verdict == "allowed"


def test_people_get_lines_that_steer_no_terminal(repository: Path) -> None:
    shown = render_explanation(ask(repository, "x/\x1b[2J\u202ey", "path"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "changed by the agent: REFUSED" in shown


def test_lines_of_settings() -> None:
    file = b"a: 1\nb:\n  - x\n  - y: 2\n    z: [1,\n      2]\n"
    assert [find_line(file, steps) for steps in (("a",), ("b", 1), ("b", 1, "z", 1), ("b", 7), ("c",), ("a", "b"))] == [
        1, 4, 6, 0, 0, 0,
    ]  # fmt: skip
    assert find_line(b"{", ("a",)) == find_line(b"\xff", ("a",)) == find_line(b"", ("a",)) == 0


def test_words_are_quoted_as_a_shell_would(repository: Path) -> None:
    with open_policy(repository) as source:
        assert shlex.split(explain(["git", "push", "x y"], source, judge_line).subject) == ["git", "push", "x y"]
