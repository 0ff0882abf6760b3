import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.outline.picking import choose_entries, pick
from tests.outline.trees import Tree

FILES = {"src/a.py": "a" * 400, "src/deep/b.py": "b" * 4_000, "docs/c.md": "c" * 40, "d.bin": b"\0\1", "e.txt": b"\xff"}


def count(text):
    return len(text)


def paths(patterns):
    return [entry.path for entry in choose_entries(Tree(FILES).entries(), patterns)]


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["src/"], ["src/a.py", "src/deep/b.py"]),
        (["src/a.py"], ["src/a.py"]),
        (["*.md", "src/deep"], ["docs/c.md", "src/deep/b.py"]),
        (["."], sorted(FILES)),
        (["src", "!*.py"], []),
        (["nothing/"], []),
    ],
)
def test_patterns_choose_files_and_directories(patterns, chosen):
    assert paths(patterns) == chosen


def test_what_is_no_pattern_is_refused():
    with pytest.raises(UsageError, match=r"\.gitignore"):
        paths(["!"])


def test_what_does_not_fit_makes_way_and_what_is_no_text_is_left_out():
    tree = Tree(FILES)
    order = sorted(tree.entries(), key=lambda entry: -len(tree.files[entry.path]))
    assert [file.path for file in pick(tree, order, 600, count)] == ["src/a.py", "docs/c.md"]
    assert [file.path for file in pick(tree, order, 6_000, count)] == ["src/deep/b.py", "src/a.py", "docs/c.md"]


@given(st.lists(st.integers(0, 3_000), max_size=60), st.integers(0, 9_000))
def test_the_budget_is_never_exceeded(sizes, tokens):
    tree = Tree({f"{number:03}": f"{number}" + "x" * size for number, size in enumerate(sizes)})
    picked = list(pick(tree, tree.entries(), tokens, count))
    assert sum(file.tokens for file in picked) <= tokens
    assert all(file.tokens >= len(tree.files[file.path]) for file in picked)
