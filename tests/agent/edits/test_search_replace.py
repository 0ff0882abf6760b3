"""Reading SEARCH/REPLACE blocks: marks, file names, fences, and what becomes of a malformed one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.edits.search_replace import Block, Command, Problem, parse_blocks

BLOCK = "a.py\n```python\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n```\n"


@pytest.mark.parametrize(
    "reply",
    [
        BLOCK,
        BLOCK.replace("\n", "\r\n").replace("old\r", "old").replace("new\r", "new"),
        BLOCK.replace("<<<<<<<", "<<<<<").replace("=======", "=========").replace(">>>>>>>", ">>>>>>"),
        BLOCK.replace("SEARCH", "SEARCH>"),
        f"I change it:\n\n{BLOCK}\nDone.",
        BLOCK.replace("a.py", "**`a.py`**:"),
        BLOCK.replace("a.py", "### a.py"),
        BLOCK.replace("a.py\n```python", "```a.py"),
        BLOCK.replace("```python", "<source>python").replace("```", "</source>"),
        BLOCK.replace(">>>>>>> REPLACE", "======="),
    ],
)
def test_one_block(reply):
    assert parse_blocks(reply) == (Block("a.py", "old\n", "new\n"),)


def test_the_name_is_kept_for_later_blocks():
    second = BLOCK.replace("a.py\n", "And then:\n")
    assert [item.path for item in parse_blocks(BLOCK + second)] == ["a.py", "a.py"]


def test_known_files_are_meant_by_something_like_their_name():
    known = ["src/deep/a.py", "src/other.py"]
    assert parse_blocks(BLOCK, known)[0].path == "src/deep/a.py"
    assert parse_blocks(BLOCK.replace("a.py", "src/othr.py"), known)[0].path == "src/other.py"


def test_a_new_file_is_not_taken_for_a_known_one():
    reply = BLOCK.replace("a.py", "src/othr.py").replace("old\n", "")
    assert parse_blocks(reply, ["src/other.py"]) == (Block("src/othr.py", "", "new\n"),)


def test_two_files_of_one_name_are_not_guessed():
    assert parse_blocks(BLOCK, ["x/a.py", "y/a.py"])[0].path == "a.py"


def test_shell_commands_are_told_apart():
    items = parse_blocks("```bash\npip install x\n```\n" + BLOCK.replace("python", "bash"))
    assert items == (Command("pip install x\n"), Block("a.py", "old\n", "new\n"))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (BLOCK.replace("=======\n", ""), "expected `=======`"),
        (BLOCK.replace(">>>>>>> REPLACE\n", ""), "expected `>>>>>>> REPLACE`"),
        (BLOCK.replace("a.py\n", "\n"), "no file"),
    ],
)
def test_a_malformed_block_is_reported_and_the_next_one_kept(broken, says):
    problem, block = parse_blocks(broken + BLOCK.replace("a.py", "b.py"))
    assert isinstance(problem, Problem)
    assert says in problem.why
    assert "line 3" in problem.why
    assert block == Block("b.py", "old\n", "new\n")


def test_a_heading_is_no_divider():
    reply = BLOCK.replace("old\n", "Title\n=====\nold\n").replace("new\n", "Title\n=====\nnew\n")
    assert parse_blocks(reply) == (Block("a.py", "Title\n=====\nold\n", "Title\n=====\nnew\n"),)


def test_marks_within_the_text_are_part_of_it():
    inner = "    <<<<<<< SEARCH\n    x\n"
    assert parse_blocks(BLOCK.replace("old\n", inner)) == (Block("a.py", inner, "new\n"),)


LINES = st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs", "Po")), max_size=20), max_size=5)


@given(old=LINES, new=LINES)
def test_what_is_written_is_read(old, new):
    search, replace = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    reply = f"a.py\n```\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n```\n"
    assert parse_blocks(reply) == (Block("a.py", search, replace),)


PIECES = st.sampled_from(["<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "```", "```bash", "a.py", "  =====", ""])


@given(st.lists(PIECES | st.text(max_size=10), max_size=14))
def test_nothing_crashes(lines):
    for item in parse_blocks("\n".join(lines), ["b.py"]):
        assert isinstance(item, Block | Command | Problem)
