"""Whole files in fenced blocks: where the name stands, what is refused, and the bytes that stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.edits.memory import stage_texts
from ay_bot.agent.edits.search_replace import Problem
from ay_bot.agent.edits.whole import WholeFile, parse_files, write_whole

CODE = "x = 1\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"src/a.py\n```python\n{CODE}```\n",
        f"**`src/a.py`**:\n\n```python\n{CODE}```\n",
        f"### File: src/a.py\n```\n{CODE}```\n",
        f"```python src/a.py\n{CODE}```\n",
        f"```python:src/a.py\n{CODE}```\n",
        f'```python title="src/a.py"\n{CODE}```\n',
        f"Here it is.\n\nsrc/a.py\n<source>\n{CODE}</source>\nDone.\n",
        f"```\nsome output\n```\n\nsrc/a.py\n~~~\n{CODE}~~~\n",
    ],
)
def test_where_the_name_stands(reply):
    assert parse_files(reply) == (WholeFile("src/a.py", CODE),)


def test_a_usual_name_without_an_extension():
    assert [file.path for file in parse_files("Makefile\n```\nall:\n```\n")] == ["Makefile"]


def test_blocks_without_a_name_are_no_files():
    assert parse_files(f"Run this:\n```python\n{CODE}```\n", ["a.py", "b.py"]) == ()


def test_the_only_file_needs_no_name():
    assert parse_files(f"Now it is:\n```python\n{CODE}```\n", ["a.py"]) == (WholeFile("a.py", CODE),)


def test_blocks_within_the_file():
    text = "# Use\n\n```sh\nmake\n```\n\nThat is all.\n"
    assert parse_files(f"README.md\n```markdown\n{text}```\n") == (WholeFile("README.md", text),)
    assert parse_files(f"README.md\n````\n{text}````\n") == (WholeFile("README.md", text),)


def test_a_block_that_was_cut_off_is_not_written():
    (problem,) = parse_files(f"a.py\n```\n{CODE}")
    assert isinstance(problem, Problem)


def written(before, content):
    stage = stage_texts({"a.py": before})
    report = write_whole(stage, stage.resolve("a.py"), "a.py", content)
    return stage.texts().get("a.py"), report


def test_endings_and_trailing_newline_are_kept():
    assert written("a\r\nb\r\nc", "a\nB\nc\n")[0] == "a\r\nB\r\nc"


def test_a_new_file():
    assert written(None, CODE)[0] == CODE


def test_the_same_text_is_already_applied():
    assert written(CODE, CODE)[1].already


@pytest.mark.parametrize("line", ["# ... rest of the code unchanged", "    // ... existing code ...", "/* ... same */"])
def test_left_out_lines_are_refused(line):
    text, report = written("a\nb\nc\n", f"a\n{line}\n")
    assert (text, report.ok) == ("a\nb\nc\n", False)


def test_a_body_of_dots_is_fine():
    assert written("def f():\n    pass\n", "def f():\n    ...\n")[0] == "def f():\n    ...\n"


LINES = st.lists(st.sampled_from(["a", "b", "", "  c", "# d"]), max_size=10)


@given(old=LINES, new=LINES)
def test_the_text_is_what_was_given(old, new):
    before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    assert written(before, after)[0] == after
