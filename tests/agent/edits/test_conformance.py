"""The edit engine against cases of other systems; their data is not part of the project."""

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from ay_bot.agent.edits.engine import Applied
from ay_bot.agent.edits.patch import PatchError, parse_patch
from ay_bot.agent.edits.patching import apply_operations
from ay_bot.agent.edits.replacing import replace_one
from ay_bot.agent.edits.staging import Stage
from ay_bot.agent.edits.text import decode, join, split

ROOT = Path(__file__).parents[3]
CASES = Path(os.environ.get("AY_CONFORMANCE", ROOT.parent / "shared" / "conformance"))

# Where we differ from Codex on purpose, and why.
CODEX_DIFFERENCES = {
    "tool_appends_newline": "a file keeps its missing final newline",
    "m_insert_only_with_ctx": "an insertion after a named line goes after that line, not to the end of the file",
    "m_move_same_path": "moving a file to itself keeps it; Codex deletes it",
    "m_prose_before": "prose around a patch is left out",
    "parse_content_after_end": "prose around a patch is left out",
    "m_bom": "a byte order mark does not hide the first line",
    "015_failure_after_partial_success_leaves_changes": "a patch applies whole or not at all",
}


def rows(name):
    path = CASES / name
    if not path.exists():
        pytest.skip(f"no conformance cases at {path}")
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def replaced(text, search, replace):
    """The new text, or None where the engine refuses or finds the edit already applied."""
    decoded = decode(text.encode("utf-8", "surrogatepass"))
    outcome = replace_one(split(decoded.text), search, replace)
    if not isinstance(outcome, Applied) or outcome.already:
        return None
    return decoded.encode(join(outcome.lines)).decode()


def test_edit_recovery(capsys):
    cases = rows("edit-recovery/cases.jsonl")
    contents = json.loads((CASES / "edit-recovery/contents.json").read_text())
    answerable, right, wrong, kept_out = 0, 0, [], []
    for case in cases:
        got = replaced(contents[case["content"]], case["search"], case["replace"])
        wanted = None if case["intended"] is None else contents[case["intended"]]
        answerable += wanted is not None
        right += wanted is not None and got == wanted
        if got is not None and got != wanted and not same_but_blank(got, wanted):
            wrong.append(case["id"])
        if got is not None and wanted is None:
            kept_out.append(case["id"])
    with capsys.disabled():
        print(f"\nedit-recovery {right}/{answerable} (wrong: {len(wrong)} of {len(cases)})")
    assert right / answerable >= 0.94
    assert len(wrong) / len(cases) <= 0.003
    assert not kept_out


def same_but_blank(one, other):
    """The cases count a difference in blank lines and trailing space as noise, not as a wrong file."""
    return other is not None and solid(one) == solid(other)


def solid(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@cache
def aider_blobs():
    return json.loads((CASES / "aider-replay/blobs.json").read_text())


def test_aider_replay(capsys):
    cases = rows("aider-replay/cases.jsonl")
    outcomes = Counter()
    wrong = []
    for case in cases:
        expected = case["expected"]
        got = replaced(aider_blobs()[case["content_blob"]], case["search"], case["replace"])
        if expected["applied"]:
            kind = "same" if got == expected["new_content"] else "refused" if got is None else "differs"
        else:
            kind = "refused too" if got is None else "applied more"
        outcomes[kind] += 1
        if kind == "differs" and not same_but_blank(got, expected["new_content"]):
            wrong.append(case["id"])
    with capsys.disabled():
        print(f"\naider-replay {outcomes['same'] + outcomes['refused too']}/{len(cases)} {dict(outcomes)}")
    assert not wrong


def codex_cases():
    try:
        lines = (CASES / "codex-apply-patch/cases.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    cases = [json.loads(line) for line in lines if line.strip()]
    for folder in sorted((CASES / "codex-apply-patch/scenarios").iterdir()):
        cases.append({"id": folder.name, "folder": folder})
    return cases


def write_tree(root, case):
    if folder := case.get("folder"):
        for path in (folder / "input").rglob("*") if (folder / "input").exists() else ():
            if path.is_file():
                target = root / path.relative_to(folder / "input")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
        return (folder / "patch.txt").read_text()
    for name in case["dirs"]:
        (root / name).mkdir(parents=True)
    for name, text in case["files"].items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return case["patch"]


def expected_tree(case):
    if folder := case.get("folder"):
        top = folder / "expected"
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    return {name: text.encode() for name, text in case["expected"]["files"].items() if text is not None}


def apply(root, patch):
    stage = Stage()
    try:
        operations = parse_patch(patch)
    except PatchError:
        return False
    reports = apply_operations(stage, operations, lambda name: root / name, lambda path: str(path.relative_to(root)))
    if not all(report.ok for report in reports):
        return False
    stage.commit()
    return True


def tree_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_codex_apply_patch(tmp_path, capsys):
    cases = codex_cases()
    if not cases:
        pytest.skip(f"no conformance cases at {CASES}")
    differing, unexpectedly_same = [], []
    for case in cases:
        root = tmp_path / case["id"]
        root.mkdir()
        patch = write_tree(root, case)
        succeeded = apply(root, patch)
        same = tree_of(root) == expected_tree(case)
        if "expected" in case:
            same = same and succeeded == (case["expected"]["rc"] == 0)
        if not same and case["id"] not in CODEX_DIFFERENCES:
            differing.append(case["id"])
        if same and case["id"] in CODEX_DIFFERENCES:
            unexpectedly_same.append(case["id"])
    passed = len(cases) - len(differing) - len(CODEX_DIFFERENCES)
    with capsys.disabled():
        print(f"\ncodex-apply-patch {passed}/{len(cases)} ({len(CODEX_DIFFERENCES)} differ on purpose)")
    assert not differing
    assert not unexpectedly_same
