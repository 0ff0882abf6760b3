"""What counts as a slip of the pen, and where a hunk with one is placed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ay_bot.agent.edits.misspelling import find_misspelt, misspelt_word

FILE = ["def get_name(self):", "return self.name", "def set_name(self, name):", "self.name = name"]


@pytest.mark.parametrize(
    ("line", "other", "word"),
    [
        ("def gt_name(self):", "def get_name(self):", "gt_name"),
        ("def gett_name(self):", "def get_name(self):", "gett_name"),
        ("retrun self.name", "return self.name", "retrun"),
        ("deepsek = 1", "deepseek = 1", "deepsek"),
        ("tests = 1", "test = 1", ""),
        ("test = 1", "tests = 1", ""),
        ("x1 = 1", "x2 = 1", ""),
        ("cat = 1", "car = 1", ""),
        ("a = 12", "a = 1", ""),
        ("a = b;", "a = b", ""),
        ("i = 1", "in = 1", ""),
        ("same", "same", ""),
    ],
)
def test_one_letter_of_one_word(line, other, word):
    assert misspelt_word(line, other) == word


def test_a_line_that_is_not_to_change_may_be_misspelt():
    wanted = ["def gt_name(self):", "return self.name"]
    assert find_misspelt(FILE, wanted, [True, False]) == [0]
    assert find_misspelt(FILE, wanted, [False, True]) == []
    assert find_misspelt([*FILE, *FILE], wanted, [True, False]) == [0, 4]


def test_a_line_may_stand_alone_if_it_is_long_enough():
    assert find_misspelt(FILE, ["self.name = nme"], [True]) == [3]
    assert find_misspelt(["aa.name"], ["aa.nme"], [True]) == []


def test_a_word_that_the_file_has_is_no_slip():
    assert find_misspelt([*FILE, "# gt_name"], ["def gt_name(self):"], [True]) == []


@given(
    before=st.text(max_size=5),
    word=st.from_regex(r"[a-z]{4,9}", fullmatch=True),
    after=st.text(max_size=5),
    data=st.data(),
)
def test_any_letter_may_be_missing(before, word, after, data):
    at = data.draw(st.integers(0, len(word) - 1))
    wrong, right = f"{before} {word[:at]}{word[at + 1 :]} {after}", f"{before} {word} {after}"
    assume(word[at] != "s" or not word.endswith("s"))  # a plural is another word
    assert misspelt_word(wrong, right)
