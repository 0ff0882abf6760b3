import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ay_bot.agent.guarding import find_read_fault, find_write_fault
from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.path_policy import PathPolicy, find_guard, protect
from ay_bot.host.policy.boxes import build_box_policy, hide_files, is_hidden
from ay_bot.host.policy.rules import FileRule
from ay_bot.host.protected_paths import NEVER, REVIEW
from ay_bot.host.settings_file import load_settings
from ay_bot.protocol.command_rules import CommandPolicy

SECRETS = FileRule(paths=("secrets/", "*.pem", "!public.pem"), read="deny", reason="keys of customers")
VENDOR = FileRule(paths=("/vendor/",), write="never", reason="it is generated")
CRYPTO = FileRule(paths=("src/crypto/**",), write="review")
POLICY = PathPolicy(rules=(CRYPTO, SECRETS, VENDOR))
BOX = build_box_policy(POLICY, CommandPolicy())


@pytest.mark.parametrize(
    ("path", "tier", "rule"),
    [
        ("secrets/a", "never", "keys of customers"),
        ("x/Secrets/a.txt", "never", "keys of customers"),
        ("a/B.PEM", "never", "keys of customers"),
        ("public.pem", "open", ""),
        ("vendor/x/y", "never", "it is generated"),
        ("x/vendor/y", "open", ""),
        ("src/crypto/aes.py", "review", "the repository's settings guard it"),
        ("src/crypto/k.pem", "never", "keys of customers"),
        ("src/crypto/CODEOWNERS", "never", "who must review is not the bot's to say"),
        ("pyproject.toml", "review", "a manifest"),
    ],
)
def test_rules_add_to_those_for_every_repository_and_the_strictest_wins(path: str, tier: str, rule: str) -> None:
    assert protect(path, POLICY) == (tier, rule)


def test_no_rule_opens_what_another_closes() -> None:
    opened = PathPolicy(rules=(FileRule(paths=("*", "!pyproject.toml"), write="review"),))
    assert protect(".github/workflows/x.yml", opened).tier == "never"
    assert protect("pyproject.toml", opened).tier == "review"


def test_what_is_hidden() -> None:
    assert [path for path in ("secrets/a", "k.pem", "public.pem", "vendor/x") if is_hidden(path, POLICY)] == [
        "secrets/a",
        "k.pem",
    ]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".github/workflows/ci.yml", "a workflow runs with the repository's rights (a rule for every repository)"),
        ("sub/.GitHub/ay-bot.yml", "the bot's own configuration"),
        ("vendor/x", "it is generated (rule 3 of `files` in the settings)"),
        ("secrets/x", "keys of customers (rule 2 of `files` in the settings)"),
    ],
)
def test_the_agent_hears_at_once_what_can_not_leave(path: str, said: str) -> None:
    fault = find_write_fault(path, BOX)
    assert said in fault
    assert "Nothing was written" in fault


@pytest.mark.parametrize("path", ["a.py", "x/vendor/y", "src/crypto/aes.py", "pyproject.toml", "jenkinsfiles/x.groovy"])
def test_the_rest_is_written(path: str) -> None:
    assert find_write_fault(path, BOX) == ""


def test_the_agent_hears_why_a_file_is_not_there() -> None:
    assert "keys of customers" in find_read_fault("secrets/x", BOX)
    assert "keys of customers" in find_read_fault("secrets", BOX)
    assert find_read_fault("a.py", BOX) == ""


def test_a_task_that_may_change_some_paths_only_hears_that_too() -> None:
    box = build_box_policy(PathPolicy(only=("docs/",)), CommandPolicy())
    assert "outside of what this task may change: docs/" in find_write_fault("a.py", box)
    assert find_write_fault("docs/a.md", box) == ""


NAMES = [pattern.strip("/").replace("*", "x") for pattern, _ in (*NEVER, *REVIEW)]
PART = st.sampled_from([*NAMES, "a", "b.py", ".GitHub", "Workflows", "vendor", "secrets", "docs"])


@settings(deadline=None, max_examples=400)
@given(st.lists(PART, min_size=1, max_size=4).map("/".join))
def test_the_box_refuses_nothing_that_the_host_would_let_leave(path: str) -> None:
    refused = find_write_fault(path, BOX)
    assert not refused or protect(path, POLICY).tier == "never"


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in NEVER])
def test_every_rule_of_the_host_is_known_in_the_box(pattern: str) -> None:
    name = pattern.replace("*", "x") + ("file" if pattern.endswith("/") else "")
    for path in (name, f"a/b/{name}"):
        assert find_guard(path, POLICY)
        assert find_write_fault(path, BOX)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"paths": ["a"]}, "the rule for a says nothing"),
        ({"paths": ["a"], "write": "never", "match": ["b"]}, "does not match its own example `b`"),
        ({"paths": ["*.py"], "write": "never", "not_match": ["x.py"]}, "matches `x.py`, which it must not"),
        ({"paths": ["!"], "write": "never"}, "holds no pattern as in .gitignore"),
        ({"paths": [], "write": "never"}, "at least 1 item"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(rule: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FileRule.model_validate(rule)


def test_mistakes_are_told_with_their_place_in_the_file() -> None:
    file = b"""
files:
  - {paths: [a], write: never}
  - {paths: [b], read: no}
commands:
  - {prefix: [git, push], match: ["git pull"]}
  - {prefix: [git, push], desision: forbid}
"""
    with pytest.raises(UsageError) as caught:
        load_settings(file, Overrides(), needs_model=False)
    message = str(caught.value)
    assert "`files.1.read`" in message
    assert (
        "`commands.0` in .github/ay-bot.yml: the rule [git, push] does not match its own example `git pull`" in message
    )
    assert "did you mean `decision`?" in message


def diff_of(*names: str) -> str:
    return "".join(
        f"diff --git a/{name} b/{name}\nindex 1..2 100644\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-x\n+of {name}\n"
        for name in names
    )


def test_hidden_files_are_no_part_of_a_diff_that_the_agent_reads() -> None:
    assert hide_files(diff_of("a.py", "secrets/k", "b c.py"), POLICY.rules) == diff_of("a.py", "b c.py")
    assert hide_files(diff_of("secrets/k"), (VENDOR,)) == diff_of("secrets/k")
    quoted = 'diff --git "a/secrets/\\303\\251" "b/secrets/\\303\\251"\n+x\n'
    assert hide_files(quoted + diff_of("a"), POLICY.rules) == diff_of("a")
