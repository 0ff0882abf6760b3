import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_repositories import checkout_of, finished, make_repository
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot import __version__
from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.commit_message import LONGEST_DIFF, TYPES, WIDTH, CommitMessage, build_request, clean, fallback
from ay_bot.host.path_policy import PathPolicy

TRAILER = f"Generated-by: ay-bot {__version__}"
DANGEROUS = re.compile(
    r"@\w|#\d|(?<![a-z0-9])GH-\d|\[\s*(skip|no)[ _-][\w\s-]{0,39}\]|\[[\w\s-]{1,40}[ _-]skip\s*\]|\*{2}no_ci\*{2}|<!--|!\[|^(diff --git|--- |\+\+\+ |@@ |---$)"
    r"|^\s*(signed-off-by|co-authored-by|closes|fixes|refs)\s*:",
    re.IGNORECASE | re.MULTILINE,
)


def check_form(message: CommitMessage) -> None:
    lines = message.text.split("\n")
    assert re.fullmatch(rf"({'|'.join(TYPES)})(\([\w./-]+\))?!?: \S.*", lines[0])
    assert len(lines[0]) <= WIDTH
    assert lines[1] == ""
    assert lines[-2:] == [TRAILER, ""]
    assert not any(ord(character) < 32 and character != "\n" for character in message.text)
    assert all(len(line) <= WIDTH for line in lines if " " in line.strip())
    assert not DANGEROUS.search(message.text)


@pytest.mark.parametrize(
    ("answer", "subject"),
    [
        ("fix: add numbers", "fix: add numbers"),
        ("fix(calc): add numbers.", "fix(calc): add numbers"),
        ("Feat!: Drop it", "feat!: drop it"),
        ("fix: HTTP errors", "fix: HTTP errors"),
        ("```\nfix: add numbers\n```", "fix: add numbers"),
        ("```text\nfix: add numbers\n\nbody\n```", "fix: add numbers"),
        ('"fix: add numbers"', "fix: add numbers"),
        ("**fix: add numbers**", "fix: add numbers"),
        ("<think>hm\nfix: wrong</think>\nfix: add numbers", "fix: add numbers"),
        ("Here is the commit message:\n\nfix: add numbers", "fix: add numbers"),
        ("\x1b[31mfix: add\x07 numbers\x1b[0m", "fix: add numbers"),
        ("fix(a b): add numbers", "fix(a-b): add numbers"),
        ("fix: close #12 for @bob [skip ci]", "fix: close no. 12 for @ bob"),
        ("fix: add " + "numbers " * 20, "fix: add numbers numbers numbers numbers numbers numbers numbers numbers"),
        ("fix: " + "x" * 100, "fix: " + "x" * 67),
    ],
)
def test_subjects(answer: str, subject: str) -> None:
    message = clean(answer)
    assert message is not None
    assert message.subject == subject
    check_form(message)


@pytest.mark.parametrize(
    "answer", ["", "   ", "add numbers", "I cannot do that.", "fixx: a", "fix:", "fix: [skip ci]", "<think>fix: a"]
)
def test_answers_that_hold_no_message(answer: str) -> None:
    assert clean(answer) is None


def test_the_body_is_wrapped_and_loses_what_could_act() -> None:
    message = clean(
        "fix(calc): add numbers\n\n"
        "The function subtracted where it should have added, which made every single total of the page come out wrong.\n\n"
        "- first item that is rather long and has to be wrapped because it does not fit into one line at all\n"
        "- second\n\n"
        "Fixes #1, closes org/repo#2 and https://github.example/o/r/issues/3. cc @someone [ci skip] ***NO_CI***\n"
        "Fixes: #4\nSigned-off-by: Eve <e@example.invalid>\nCo-authored-by: Eve <e@example.invalid>\n"
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n---\n<!-- hidden --> ![p](http://x/y.png)\nskip-checks: true\n"
    )
    assert message is not None
    check_form(message)
    assert "- first item" in message.body
    assert "Eve" not in message.body
    assert "hidden" not in message.body
    assert "http" not in message.body


def test_a_marker_cannot_be_put_together_by_wrapping() -> None:
    for body in (
        "[skip\nci]",
        "[skip [skip ci] ci]",
        "[ci\n skip]",
        "x " * 35 + "\nFixes\n#12",
        "GH-\n12",
        "[[skip ci]skip ci]",
    ):
        message = clean(f"fix: a\n\n{body}")
        assert message is not None
        check_form(message)


PIECES = [
    "fix: a",
    "[skip ci]",
    "#12",
    "@bob",
    "Fixes",
    ":",
    "\n",
    "\n\n",
    "[",
    "skip",
    "ci",
    "]",
    "```",
    "<!--",
    "-->",
    "---",
    " ",
    "![",
    "](x)",
    "Signed-off-by: x",
    "***",
    "NO_CI",
    "\u202e",
    "\x1b[1m",
    "GH-",
    "7",
    "diff --git a b",
    "- ",
    "(",
    ")",
    "::error::",
]


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=14).map("".join)))
def test_whatever_a_model_writes_is_harmless(text: str) -> None:
    for answer in (text, f"fix: {text}", f"fix: a\n\n{text}"):
        message = clean(answer)
        if message is not None:
            check_form(message)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("message")
    files = {
        "src/calc/add.py": "1\n",
        "src/calc/sub.py": "1\n",
        "tests/test_a.py": "1\n",
        "README.md": "1\n",
        "uv.lock": "1\n",
    }
    with checkout_of(make_repository(place / "repo", files), place / "scratch") as checkout:
        yield checkout


def patch_of(checkout: Checkout, *paths: str) -> VerifiedPatch:
    message, body = finished(dict.fromkeys(paths, "2\n"))
    patch = propose(checkout, checkout.repository.head, message, body, PathPolicy())
    assert isinstance(patch, VerifiedPatch)
    return patch


@pytest.mark.parametrize(
    ("paths", "task", "subject"),
    [
        (["src/calc/add.py"], "Sums are wrong", "fix(calc): sums are wrong"),
        (
            ["src/calc/add.py", "src/calc/sub.py", "tests/test_a.py"],
            "# Sums are wrong\n\nx",
            "fix(calc): sums are wrong",
        ),
        (["tests/test_a.py"], "Test the sums", "test: test the sums"),
        (["README.md"], "Say more", "docs: say more"),
        (["uv.lock"], "Update", "build: update"),
        (["README.md", "src/calc/add.py"], "Both", "fix: both"),
        (["README.md"], "feat: add docs", "docs: add docs"),
        (["README.md"], "", "docs: change what was asked"),
        (["README.md"], "[skip ci] @bob fixes #3", "docs: @ bob fixes no. 3"),
        (["README.md"], "\x1b[31m", "docs: change what was asked"),
    ],
)
def test_the_fallback_is_made_of_facts(checkout: Checkout, paths: list[str], task: str, subject: str) -> None:
    message = fallback(patch_of(checkout, *paths), task)
    assert message.subject == subject
    assert paths[0] in message.body
    check_form(message)
    assert message == fallback(patch_of(checkout, *paths), task)


@settings(deadline=None)
@given(st.text())
def test_any_task_gives_a_message(checkout: Checkout, task: str) -> None:
    check_form(fallback(patch_of(checkout, "README.md"), task))


def test_git_takes_the_trailer_for_one(tmp_path: Path) -> None:
    message = clean("fix: add\n\nBody: with a colon\n")
    assert message is not None
    run = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message.text.encode(), capture_output=True, check=True
    )
    assert run.stdout.decode().strip() == TRAILER


def test_the_request_is_short_and_bounded() -> None:
    system, user = build_request(b"+line \xff\x1b[31m\n" * 100_000, "task " * 10_000)
    assert len(system.content) < 1000  # about 4 characters a token
    assert len(user.content) < LONGEST_DIFF + 2000
    assert "\x1b" not in user.content
    assert "+line" in user.content
