"""The names that are found in 40 languages, against those that Aider finds; the cases are not part of the project."""

import json
import os
import re
from pathlib import Path

import pytest

from ay_bot.outline.counting import best_counter
from ay_bot.outline.languages import language_of
from ay_bot.outline.outlining import open_outline
from ay_bot.outline.reading import find_names
from tests.outline.trees import Tree

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("AY_CONFORMANCE", ROOT.parent / "shared" / "conformance"))

# Where we differ from Aider on purpose, and why.
DIFFERENCES = {"zig": "Aider takes whole signatures for names, and the keyword `const` for another"}


def rows():
    path = CASES / "aider-repomap" / "language_tags.json"
    if not path.exists():
        pytest.skip(f"no conformance cases at {path}")
    return json.loads(path.read_text())


def lacking(row):
    """What Aider finds in a file and we don't. Where it has only words to go by (line -1), words are what counts."""
    definitions, references = find_names(row["file"], row["source"].encode(), language_of(row["file"]))
    words = set(re.findall(r"\w+", row["source"])) | set(re.findall(r"[^\s\w]+", row["source"]))
    ours = {name.decode() for name in references}
    told = {name for name, line in row["refs"] if line >= 0}
    return [
        *({name for name, _ in row["defs"]} - {name.decode() for name, _ in definitions}),
        *(told - ours),
        *(
            name
            for name, line in row["refs"]
            if line < 0 and name not in ours and not set(re.findall(r"\w+", name)) <= words
        ),
    ]


def test_the_names_that_aider_finds(capsys):
    missed = {row["lang"]: found for row in rows() if (found := lacking(row))}
    expected = DIFFERENCES.keys() & missed.keys()
    total = len(rows()) - len(expected)
    with capsys.disabled():
        print(f"\naider-repomap {len(rows()) - len(missed)}/{total}, expected differences {len(expected)}")
    assert missed.keys() == expected, missed


def test_maps_stay_in_their_budget_and_are_the_same_again(capsys, tmp_path):
    tree = Tree({f"{row['lang']}/{row['file']}": row["source"] for row in rows()})
    queries = ("", "greet a person", "calculate the delay")
    count = best_counter()
    maps = []
    for cache in ("one", "two"):
        with open_outline(tmp_path / cache) as outline:
            maps.append({(q, n): outline.map(tree, q, n, count) for q in queries for n in (64, 256, 1024, 4096)})
    over = sum(count(text) > tokens for (_, tokens), text in maps[0].items())
    different = sum(maps[0][key] != maps[1][key] for key in maps[0])
    with capsys.disabled():
        print(f"\naider-repomap over-budget/different-between-runs {over}/{different} of {len(maps[0])}")
    assert (over, different) == (0, 0)
