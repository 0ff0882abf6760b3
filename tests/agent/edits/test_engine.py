"""The edit engine: each pass, what it refuses, and the bytes that it leaves alone."""

import time

from hypothesis import assume, given
from hypothesis import strategies as st

from ay_bot.agent.edits.engine import Applied, Refused
from ay_bot.agent.edits.folding import bare
from ay_bot.agent.edits.replacing import replace_one
from ay_bot.agent.edits.text import decode, join, split


def replaced(text, search, replace):
    outcome = replace_one(split(text), search, replace)
    assert isinstance(outcome, Applied), outcome
    return join(outcome.lines)


def refusal(text, search, replace):
    outcome = replace_one(split(text), search, replace)
    assert isinstance(outcome, Refused), outcome
    return outcome.why


def test_exact_lines():
    assert replaced("a\nb\nc\n", "b\n", "B\n") == "a\nB\nc\n"


def test_a_piece_of_a_line():
    assert replaced("x = f(1) + g(2)\n", "f(1)", "f(3)") == "x = f(3) + g(2)\n"


def test_whole_lines_win_over_pieces():
    assert replaced("import os.path\nimport os\n", "import os", "import re") == "import os.path\nimport re\n"


def test_lines_can_be_deleted():
    assert replaced("a\nb\nc\n", "b\n", "") == "a\nc\n"
    assert replaced("a\nb\nc\n", "b", "") == "a\nc\n"


def test_twice_is_refused_with_lines():
    assert "lines 1, 3" in refusal("a\nb\na\n", "a\n", "c\n")
    assert "lines 1, 2" in refusal("f(1)\ng(f(1))\n", "(1)", "(2)")


def test_nothing_to_do_is_refused():
    assert "same" in refusal("a\n", "a\n", "a\n")


def test_line_endings_and_the_missing_last_newline_stay():
    assert replaced("a\r\nb\r\nc", "b\nc\n", "B\nc\nd\n") == "a\r\nB\r\nc\r\nd"


def test_trailing_space_in_the_file_stays_on_lines_that_stay():
    assert replaced("a  \nb\n", "a\nb\n", "a\nB\n") == "a  \nB\n"


def test_typography():
    assert (
        replaced("say \u201chi\u201d \u2013 x\ny\n", 'say "hi" - x\ny\n', 'say "hi" - x\nz\n')
        == "say \u201chi\u201d \u2013 x\nz\n"
    )


def test_indentation_is_carried_over():
    assert replaced("class A:\n    x = 1\n    y = 2\n", "x = 1\ny = 2\n", "x = 1\nif x:\n    y = 3\n") == (
        "class A:\n    x = 1\n    if x:\n        y = 3\n"
    )


def test_tabs_for_spaces():
    assert replaced("def f():\n    if a:\n        b()\n", "\tif a:\n\t\tb()\n", "\tif a:\n\t\tb()\n\t\tc()\n") == (
        "def f():\n    if a:\n        b()\n        c()\n"
    )


def test_first_line_without_its_indentation():
    assert replaced("    a()\n    b()\n", "a()\n    b()\n", "a()\n    c()\n") == "    a()\n    c()\n"


def test_blank_lines_are_ignored_and_kept():
    assert replaced("a\n\nb\n", "a\nb\n", "a\nc\n") == "a\n\nc\n"


def test_the_place_with_its_own_indentation_is_meant():
    text = "class A:\n    x = 1\n    y = 2\n\n    class B:\n        x = 1\n        y = 2\n"
    assert replaced(text, "\n        x = 1\n        y = 2\n", "\n        x = 1\n        y = 3\n") == text[:-2] + "3\n"


def test_elided_lines():
    text = "def f():\n    one()\n    two()\n    return 1\n"
    assert replaced(text, "def f():\n...\n    return 1\n", "def f():\n...\n    return 2\n") == text.replace(
        "return 1", "return 2"
    )


def test_a_typo_in_a_line_that_stays():
    text = "def calculate(first, second):\n    total = first + second\n    print(total)\n    return total\n"
    search = "def calculate(frst, second):\n    total = first + second\n    print(total)\n    return total\n"
    assert replaced(text, search, search.replace("print(total)", "log(total)")) == text.replace(
        "print(total)", "log(total)"
    )


def test_a_typo_in_a_line_that_changes_is_refused():
    text = "def calculate(first, second):\n    total = first + second\n    print(total)\n    return total\n"
    search = text.replace("print(total)", "pint(total)")
    why = refusal(text, search, text.replace("print(total)", "log(total)"))
    assert "3     print(total)" in why


def test_already_applied():
    outcome = replace_one(split("a\nnew line here\nc\n"), "a\nold line there\nc\n", "a\nnew line here\nc\n")
    assert isinstance(outcome, Applied)
    assert outcome.already


def test_an_empty_search_does_not_overwrite():
    assert "exists" in refusal("a\n", "", "b\n")


LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\u2028\u2029\x0b\x0c\x1c\x1d\x1e\x85"), max_size=12)
END = st.sampled_from(["\n", "\r\n"])


@given(lines=st.lists(LINE, min_size=1, max_size=12), end=END, final=st.booleans(), data=st.data())
def test_bytes_outside_the_change_are_kept(lines, end, final, data):
    text = end.join(lines) + (end if final else "")
    assume(split(text) and join(split(text)) == text)
    bodies = [line.body for line in split(text)]
    start = data.draw(st.integers(0, len(bodies) - 1))
    stop = data.draw(st.integers(start + 1, len(bodies)))
    new = data.draw(st.lists(LINE, min_size=1, max_size=4).filter(lambda lines: lines[-1]))
    search, replace = "".join(f"{body}\n" for body in bodies[start:stop]), "".join(f"{line}\n" for line in new)
    outcome = replace_one(split(text), search, replace)
    if isinstance(outcome, Refused):
        return
    written = [line.body for line in outcome.lines]
    assert written == [*bodies[:start], *new, *bodies[stop:]]
    assert join(outcome.lines).endswith(end) == (text.endswith(end))
    assert all(line.end in {end, ""} for line in outcome.lines[:-1]) or len(split(text)) == 1


@given(lines=st.lists(LINE, min_size=1, max_size=8, unique=True), data=st.data())
def test_an_edit_is_not_applied_twice(lines, data):
    place = data.draw(st.integers(0, len(lines) - 1))
    text = "".join(f"{line}\n" for line in lines)
    search, replace = f"{lines[place]}\n", "a line that was not there\nand another one\n"
    first = replace_one(split(text), search, replace)
    if isinstance(first, Refused):
        return
    again = replace_one(first.lines, search, replace)
    assert isinstance(again, Refused) or again.already or again.lines == first.lines or has_another(lines, place)


def has_another(lines, place):
    """Whether what is looked for also fits another line, but for white space and typography."""
    return sum(bare(line) == bare(lines[place]) for line in lines) > 1


@given(st.binary(max_size=200))
def test_every_byte_survives_decoding(content):
    decoded = decode(content)
    assert decoded.encode(join(split(decoded.text))) == content


@given(text=st.text(max_size=200), search=st.text(max_size=60), replace=st.text(max_size=60))
def test_nothing_crashes(text, search, replace):
    assert isinstance(replace_one(split(text), search, replace), Applied | Refused)


def test_hostile_sizes_take_no_time():
    began = time.perf_counter()
    text = "}\n" * 20_000 + "x" * 300_000 + "\n" + "y" * 300_000 + "\n"
    refusal(text, "}\n" * 300 + "x" * 299_999 + "z\n}\n", "}\n" * 300 + "new\n}\n")
    assert time.perf_counter() - began < 10


def test_which_of_several_is_meant_may_be_said():
    lines = split("a\nb\r\na\nc a\n")
    assert replace_one(lines, "a\n", "x\n").ambiguous
    for occurrence, expected in ((1, "x\nb\r\na\nc a\n"), (2, "a\nb\r\nx\nc a\n")):
        assert join(replace_one(lines, "a", "x", occurrence).lines) == expected
        assert join(replace_one(lines, "a\n", "x\n", occurrence).lines) == expected
    assert "stands 2 times" in replace_one(lines, "a", "x", 3).why
    pieces = split("f(1, 1)\ng(1)\n")
    assert replace_one(pieces, "1", "2").ambiguous
    assert [join(replace_one(pieces, "1", "2", n).lines) for n in (1, 2, 3)] == [
        "f(2, 1)\ng(1)\n",
        "f(1, 2)\ng(1)\n",
        "f(1, 1)\ng(2)\n",
    ]
    assert "stands 3 times" in replace_one(pieces, "1", "2", 4).why
    assert join(replace_one(pieces, "g(", "h(", 1).lines) == "f(1, 1)\nh(1)\n"
    assert "once" in replace_one(pieces, "g(", "h(", 2).why
    assert join(replace_one(split("x\n"), "x", "y", 1).lines) == "y\n"


def test_what_comes_in_a_piece_between_dots_stays_with_that_piece():
    text = (
        "def f():\n    try:\n        a = 1\n        b = 2\n    except E:\n        return None\n    # so\n    return a\n"
    )
    search = "        a = 1\n...\n        return None\n    # so\n"
    replace = "        a = 1\n...\n    if b:\n        return None\n    # so\n"
    assert replaced(text, search, replace) == text.replace("        return None\n", "    if b:\n        return None\n")


def test_the_bracket_after_dots_is_the_one_that_closes():
    text = "one = f(\n    1,\n)\ntwo = f(\n    2,\n)\nthree = f(\n    3,\n)\n"
    assert replaced(text, "two = f(\n...\n)\n", "two = f(\n...\n)\nnew = 1\n") == text.replace(
        "    2,\n)\n", "    2,\n)\nnew = 1\n"
    )


def test_a_misspelt_line_alone():
    text = "a = 1\ntree_cache = dict()\nb = 2\n"
    assert replaced(text, "tree_cche = dict()\n", "tree_cche = dict()\nnew = 1\n") == text.replace(
        "dict()\n", "dict()\nnew = 1\n"
    )
    assert "does not stand" in refusal(text, "tree_cche = dict()\n", "tree_cache = list()\n")


def test_two_lines_with_one_of_the_file_between():
    text = "first_line = 1\nbetween = 2\nlast_line = 3\nend = 4\n"
    assert replaced(text, "first_line = 1\nlast_line = 3\n", "first_line = 1\nlast_line = 30\n") == text.replace(
        "= 3\n", "= 30\n"
    )
    assert "does not stand" in refusal(text, "first_line = 1\nlast_line = 3\n", "first_line = 1\nnew\nlast_line = 3\n")


def test_nothing_comes_where_only_one_of_both_has_a_line():
    text = 'def f():\n    """Say it."""\n    return 1\n\n\ndef g():\n    pass\n'
    why = refusal(
        text, 'def f():\n    """Say it."""\n\n', 'def f():\n    """Say it."""\n\n    def h():\n        pass\n\n'
    )
    assert "not where something comes" in why
    assert "does not stand" in refusal(
        "a = one()\nb = two()\nc = three()\nd = four()\n",
        "a = one()\nc = three()\nd = four()\n",
        "a = one()\nnew()\nother()\nc = five(3, 4)\nd = four()\n",
    )


def test_a_line_wrapped_in_a_block_takes_the_place_of_the_bare_one():
    text = "counts = {}\nfor line in text:\n    author = find(line)\n    counts[author] += 1\nreturn counts\n"
    search = "counts = {}\nfor line in text:\n    counts[author] += 1\nreturn counts\n"
    replace = "counts = {}\nfor line in text:\n    if line:\n        counts[author] += 1\nreturn counts\n"
    assert replaced(text, search, replace) == text.replace("    counts[author]", "    if line:\n        counts[author]")


def test_blank_lines_between_lines_that_change_one_for_one_stay():
    text = "from a import server\n\nassert server.one\nend\n"
    search, new = "from a import server\nassert server.one\nend\n", "from a import client\nassert client.one\nend\n"
    assert replaced(text, search, new) == "from a import client\n\nassert client.one\nend\n"


def test_what_comes_beside_a_blank_line_goes_to_its_like():
    text = "'use strict';\n\nconst path = 1;\n"
    search = "'use strict';\nconst path = 1;\n"
    assert replaced(text, search, "'use strict';\nconst fs = 2;\nconst path = 1;\n") == (
        "'use strict';\n\nconst fs = 2;\nconst path = 1;\n"
    )
    text = "def f():\n    a = 1\n\n\ndef g():\n    pass\n"
    assert replaced(text, "    a = 1\ndef g():\n", "    a = 1\n    return a\ndef g():\n") == text.replace(
        "a = 1\n", "a = 1\n    return a\n"
    )


def test_a_line_takes_the_ending_of_the_one_that_it_replaces():
    assert replaced("a\nb\r\nc\nd\r\n", "b\nc\n", "B\nC\n") == "a\nB\r\nC\nd\r\n"
    assert replaced("a\nb\r\nc\n", "b\n", "B\nBB\n") == "a\nB\r\nBB\r\nc\n"


def test_a_block_is_deeper_than_what_opens_it():
    text = "x = {\n    create(context) {\n\n        return 1;\n"
    assert replaced(text, "create(context) {\n\n", "create(context) {\n\n    const a = 1;\n\n") == (
        "x = {\n    create(context) {\n\n        const a = 1;\n\n        return 1;\n"
    )


def test_a_line_with_another_number_is_another_line():
    text = "# Copyright 2011 The Authors of it.\n# Use of this is free.\n# See LICENSE for more.\nx = 1\n"
    search = text.replace("2011", "2020").removesuffix("x = 1\n")
    assert "does not stand" in refusal(text, search, search.replace("# See LICENSE for more.\n", ""))


def test_what_still_stands_was_not_done_before():
    text = (
        "def f():\n    if a in names:\n        return False\n    if b in names:\n        return False\n    return b\n"
    )
    search = "def ff():\n    if a in names:\n        return False\n    if b in names:\n"
    new = text.replace("a in names", "names.get(a)")
    assert replaced(text, search, search.replace("a in names", "names.get(a)")) == new
    twice = f"{text}\n\ndef g():\n    if names.get(a):\n        return True\n"
    assert replaced(twice, search, search.replace("a in names", "names.get(a)")).startswith(new)
