"""The table of attacks in docs/security.md and the tests that carry their numbers speak of the same."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"^\| AT-(\d\d) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
OUT_OF_SCOPE = "out of scope"


def rows() -> dict[str, str]:
    return {number: shown for number, _, shown in ROW.findall((ROOT / "docs" / "security.md").read_text())}


def numbered() -> dict[str, set[str]]:
    """Every test by each of the numbers in its name."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"^\s*def (test(?:_at_\d+)+_\w+)\(", path.read_text(), re.MULTILINE):
            for number in re.findall(r"_at_(\d+)", name):
                found.setdefault(number, set()).add(name)
    return found


def test_every_attack_has_a_row_in_order() -> None:
    assert list(rows()) == [f"{number:02}" for number in range(1, 57)]


def test_every_row_names_tests_of_its_number_or_says_why_not() -> None:
    known = numbered()
    for number, shown in rows().items():
        named = set(re.findall(r"`(test_\w+)`", shown))
        assert named <= known.get(number, set()), number
        assert named or OUT_OF_SCOPE in shown, number


def test_no_test_carries_a_number_without_a_row() -> None:
    assert set(numbered()) <= set(rows())
