"""Edits of the standard library's files whose search text was disturbed as models do it; what must come out is known."""

import random
import re
import sysconfig
from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest

from ay_bot.agent.edits.engine import Applied
from ay_bot.agent.edits.replacing import replace_one
from ay_bot.agent.edits.text import join, split

MODULES = (
    "argparse",
    "ast",
    "bdb",
    "cmd",
    "configparser",
    "csv",
    "dis",
    "fractions",
    "heapq",
    "mailbox",
    "pdb",
    "shelve",
    "textwrap",
)
PER_KIND = 150


@cache
def files():
    return [Path(sysconfig.get_path("stdlib"), f"{name}.py").read_text().splitlines(keepends=True) for name in MODULES]


def change(chance):
    """A file's lines, the first and the one after the last that are searched, and what replaces them."""
    lines, other = chance.choice(files()), chance.choice(files())
    at = chance.randrange(12, len(lines) - 12)
    low, high = at - chance.randint(1, 8), at + chance.randint(1, 8)
    goes = chance.randint(0, 2)
    taken = other[chance.randrange(len(other) - 3) :][: chance.randint(0 if goes else 1, 3)]
    depth = re.match(" *", lines[at])[0]
    new = [depth + line.strip() + "\n" for line in taken if line.strip()]
    end = max(high, at + goes)
    return lines, low, end, [*lines[low:at], *new, *lines[at + goes : end]]


def shared(old, new):
    """The places of lines that stay, on both sides."""
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return [(block.a + number, block.b + number) for block in blocks for number in range(block.size)]


def both(old, new, how):
    return [how(line) for line in old], [how(line) for line in new]


def misspell(old, new, chance):
    places = [place for place in shared(old, new) if re.search("[a-z]{4}", old[place[0]])]
    if not places:
        return None
    one, other = chance.choice(places)
    at = chance.choice([found.start() for found in re.finditer("[a-z](?=[a-z]{3})", old[one])])
    wrong = old[one][:at] + old[one][at + 1 :]
    return [*old[:one], wrong, *old[one + 1 :]], [*new[:other], wrong, *new[other + 1 :]]


def drop(old, new, chance):
    places = [place for place in shared(old, new) if 0 < place[0] < len(old) - 1 and old[place[0]].strip()]
    if not places:
        return None
    one, other = chance.choice(places)
    return [*old[:one], *old[one + 1 :]], [*new[:other], *new[other + 1 :]]


def elide(old, new, chance):
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    blocks = [block for block in blocks if block.size >= 3]
    if not blocks:
        return None
    block = chance.choice(blocks)
    return tuple(
        [*lines[: at + 1], "...\n", *lines[at + block.size - 1 :]] for lines, at in ((old, block.a), (new, block.b))
    )


def first_only(old, new, _):
    if old[0] != new[0] or not old[0].strip() or len(old) < 2:
        return None
    return [old[0].lstrip(), *old[1:]], [new[0].lstrip(), *new[1:]]


KINDS = {
    "as it is": lambda old, new, _: (old, new),
    "deeper": lambda old, new, _: both(old, new, lambda line: f"    {line}" if line.strip() else line),
    "tabs": lambda old, new, _: (
        both(old, new, lambda line: re.sub("^(    )+", lambda found: "\t" * (len(found[0]) // 4), line))
        if any(line.startswith("    ") for line in old)
        else None
    ),
    "trailing space": lambda old, new, _: ([f"{line[:-1]}  \n" for line in old], new),
    "a blank line first": lambda old, new, _: (["\n", *old], ["\n", *new]),
    "the first line without its indentation": first_only,
    "a letter missing": misspell,
    "a line missing": drop,
    "lines left out": elide,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_was_meant(kind):
    chance = random.Random(kind)
    outcomes = Counter()
    while outcomes.total() < PER_KIND:
        lines, low, end, new = change(chance)
        old = lines[low:end]
        text, intended = "".join(lines), "".join([*lines[:low], *new, *lines[end:]])
        if text.count("".join(old)) != 1 or (disturbed := KINDS[kind](old, new, chance)) is None:
            continue
        search, replace = map("".join, disturbed)
        if search == replace:
            continue
        outcome = replace_one(split(text), search, replace)
        if not isinstance(outcome, Applied) or outcome.already:
            outcomes["refused"] += 1
        else:
            written = join(outcome.lines)
            outcomes[
                "right" if written == intended else "spaced" if solid(written) == solid(intended) else "wrong"
            ] += 1
    assert outcomes["wrong"] <= (1 if kind == "a line missing" else 0), outcomes
    assert outcomes["right"] >= PER_KIND * (0.6 if kind == "a line missing" else 0.95), outcomes


def solid(text):
    return [line for line in text.splitlines() if line.strip()]
