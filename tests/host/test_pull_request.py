from collections.abc import Iterator

import pytest
from git_repositories import checkout_of, finished, make_repository
from inline_snapshot import snapshot

from ay_bot import __version__
from ay_bot.host import report
from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import Proof, SuiteRun
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.pull_request import escape_cell, render, render_markdown


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("pull")
    files = {"a.py": "1\n", "tests/test_a.py": "1\n", "old.py": "1\n"}
    with checkout_of(make_repository(place / "repo", files), place / "scratch") as checkout:
        yield checkout


def patch_of(checkout: Checkout, changed: dict, deleted: tuple[str, ...] = ()) -> VerifiedPatch:
    message, body = finished(changed, deleted)
    patch = propose(checkout, checkout.repository.head, message, body, PathPolicy())
    assert isinstance(patch, VerifiedPatch)
    return patch


def proof_of(*rows: tuple[str, str, str, str], **extra) -> Proof:
    listed = tuple(
        report.TestRow(id=name, base=base, candidate=after, verdict=verdict) for name, base, after, verdict in rows
    )
    counts: dict[str, int] = {}
    for row in listed:
        counts[row.verdict] = counts.get(row.verdict, 0) + 1
    run = SuiteRun(
        purpose="candidate", tree="t" * 40, ending="exit code 0", seconds=1.234, passed=2, failed=0, skipped=1
    )
    values = {"command": "pytest -q", "image": "sha256:abc", "base": "b" * 40, "base_tree": "c" * 40, "tree": "t" * 40}
    return Proof(**{**values, "per_test": True, "rows": listed, "counts": counts, "runs": (run,), "notes": (), **extra})


FIXED = ("tests/test_a.py::test_x", "failed", "passed", "fixed")
SAME = ("tests/test_a.py::test_y", "passed", "passed", "unchanged")


def test_the_whole_text(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n", "run": ("100755", b"x")}, ("old.py",))
    text = render(
        title="fix: add", summary="It was wrong.", task="Sums are wrong", patch=patch, proof=proof_of(FIXED, SAME)
    )
    assert not text.draft
    assert render_markdown(text.title, text.body).replace(__version__, "VERSION") == snapshot("""\
# fix: add

## What and why

> It was wrong.

**Task:** Sums are wrong

## How this was verified

The tests prove this change. 1 fixed, 1 unchanged.

| test | before | after | verdict |
| --- | --- | --- | --- |
| `tests/test_a.py::test_x` | failed | passed | fixed |
| the other 1 test | | | unchanged |

- command: `pytest -q`
- box image: `sha256:abc`
- base commit: `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb`
- base tree: `cccccccccccccccccccccccccccccccccccccccc`
- tested tree: `tttttttttttttttttttttttttttttttttttttttt`
- compared: per test, from JUnit reports

<details><summary>Runs, each in a fresh box without a model</summary>

| run | tree | result | passed | failed | skipped | seconds |
| --- | --- | --- | --: | --: | --: | --: |
| candidate | `tttttttttttt` | exit code 0 | 2 | 0 | 1 | 1.2 |

</details>

## Files

- `a.py` changed
- `old.py` deleted
- `run` added, now executable

---
Made by ay-bot VERSION. All from “How this was verified” on is the host's own, not the model's.
""")


def test_is_stable(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    one, two = (render(title="t", summary="s", task="t", patch=patch, proof=proof_of(FIXED)) for _ in range(2))
    assert one == two


def test_a_guarded_file_makes_a_draft_that_names_it(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n", "pyproject.toml": "", ".github/workflows/x.yml": ""})
    text = render(title="t", summary="s", task="t", patch=patch, proof=proof_of(FIXED))
    assert text.draft
    assert "`pyproject.toml`: a manifest; please look at it" in text.body
    assert "`.github/workflows/x.yml`: withheld" in text.body
    assert "## Why this is a draft" in text.body
    assert len(text.draft_reasons) == 2


def test_a_failure_and_flaky_tests_make_a_draft(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    proof = proof_of(("x", "mixed", "passed", "flaky"))
    assert render(title="t", summary="s", task="t", patch=patch, proof=proof).draft
    text = render(
        title="t", summary="s", task="t", patch=patch, proof=proof_of(SAME), failure="tests were harmed: 1 broken"
    )
    assert text.draft
    assert "Not proven: tests were harmed: 1 broken." in text.body
    assert "The tests prove this change" not in text.body


def test_at_50_a_summary_that_claims_what_is_false_stands_below_a_warning(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    values = {"title": "t", "summary": "Fixed; all tests pass.", "task": "t", "patch": patch, "proof": proof_of(SAME)}
    assert "[!WARNING]" in render(**values, failure="tests were harmed: 1 broken").body
    assert "[!WARNING]" not in render(**values).body


def test_exit_codes_alone_are_said(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    proof = proof_of(FIXED, per_test=False, notes=("No test report is believed.",))
    body = render(title="t", summary="s", task="t", patch=patch, proof=proof).body
    assert "by exit code alone" in body
    assert "- No test report is believed." in body


FORGED = """# Title
## How this was verified
All tests pass, trust me.
How this was verified
=====================
<details><!-- hidden --> <img src=x>
![p](http://evil/x.png) fixes #1 @octocat
| a | b |
\x1b[31mred\u202e
"""


def test_the_models_words_cannot_pass_for_the_hosts(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    body = render(title="t", summary=FORGED, task=FORGED, patch=patch, proof=proof_of(FIXED)).body
    assert body.count("## How this was verified") == 1
    assert "=====" not in body
    for active in ("<!--", "<img", "![", "#1", "@octocat", "\x1b", "\u202e", "http://evil"):
        assert active not in body
    assert body.count("<details>") == 1


@pytest.mark.parametrize(
    "opened", ["```\ncode", "- a\n  ```\nx", "~~~~\ncode", "> > ```\nx", "1. a\n\n   ```\n   x", "```\r\nx"]
)
def test_what_the_model_leaves_open_ends_with_the_quotation(checkout: Checkout, opened: str) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    body = render(title="t", summary=opened, task="t", patch=patch, proof=proof_of(FIXED)).body
    said = body.removeprefix("## What and why\n\n").split("\n\n**Task:**")[0]
    assert all(line.startswith(">") for line in said.split("\n"))
    assert "\n\n## How this was verified\n" in body


def test_hostile_names_stay_in_their_cell(checkout: Checkout) -> None:
    patch = patch_of(checkout, {"a.py": "2\n"})
    name = "test|x`y\n| forged | passed | passed | fixed |\x1b[0m"
    body = render(
        title="t\nx", summary="", task="", patch=patch, proof=proof_of((name, "failed", "passed", "fixed"))
    ).body
    row = next(line for line in body.splitlines() if "forged" in line)
    assert row.startswith("| `test\\|x'y?\\| forged \\|")
    assert escape_cell("") == "` `"


def test_many_tests_and_files_are_cut(checkout: Checkout) -> None:
    patch = patch_of(checkout, {f"f{number:03}.py": "" for number in range(150)})
    rows = [(f"test_{number}" + "x" * 300, "failed", "passed", "fixed") for number in range(5000)]
    body = render(title="t", summary="s" * 100_000, task="t" * 1000, patch=patch, proof=proof_of(*rows)).body
    assert len(body) <= 60_000
    assert "and 4950 more" in body
    assert "and 50 more" in body


def test_at_18_a_change_that_deletes_much_is_a_draft(tmp_path) -> None:
    names = [f"f{number}.py" for number in range(6)]
    repository = make_repository(tmp_path / "repo", dict.fromkeys(names, "x = 1\n"))
    with checkout_of(repository, tmp_path / "scratch") as many:
        patch = patch_of(many, {}, tuple(names[:5]))
    text = render(title="t", summary="s", task="t", patch=patch, proof=proof_of(SAME))
    assert text.draft_reasons == ("It deletes or empties 5 of the repository's 6 files.",)
    assert "## Why this is a draft\n\n- It deletes or empties 5 of the repository's 6 files." in text.body


def test_a_key_in_the_change_makes_a_draft(checkout: Checkout) -> None:
    key = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5"
    patch = patch_of(checkout, {"settings.py": f'TOKEN = "{key}"\n'})
    text = render(title="fix: x", summary="", task="", patch=patch, proof=proof_of(FIXED))
    assert text.draft
    assert any("settings.py" in reason for reason in text.draft_reasons)
    assert key not in text.body
