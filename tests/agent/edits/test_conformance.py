"""The edit engine against cases of other systems; their data is not part of the project."""

import hashlib
import json
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from ay_bot.agent.edits.patch import PatchError, parse_patch
from ay_bot.agent.edits.patching import apply_operations
from ay_bot.agent.edits.shell_edit import answer_line
from ay_bot.agent.edits.staging import Stage

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

# Where we differ from Aider on purpose, and why.
REPLAY_DIFFERENCES = {
    "msg-00954-1-exact": "the text stands three times; Aider takes the first place",
    "msg-00960-0-exact": "the text stands three times; Aider takes the first place",
}
UDIFF_DIFFERENCES = {
    "llm-msg-02043-0-exact:typo_in_context": "what the hunk adds already stands there",
    "llm-msg-02673-1-exact:context_line_dropped": "a line is missing among those that the hunk deletes, where nothing may differ",
    "llm-msg-01777-0-exact:typo_in_context": "the hunk has not the space on blank lines that the answer has",
    "llm-msg-00246-0-exact:blank_lines_dropped": "the hunk has not the blank line that the answer has",
    "llm-msg-02698-0-exact:blank_lines_dropped": "the hunk has not the space on a blank line that the answer has",
}


def rows(name):
    path = CASES / name
    if not path.exists():
        pytest.skip(f"no conformance cases at {path}")
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def answer(form=None, *, parse_only=False, **request):
    return json.loads(answer_line(json.dumps(request).encode(), form, parse_only=parse_only))


def replaced(text, search, replace):
    """The new text, or None where the engine refuses or finds the edit already applied."""
    got = answer(files={"f": text}, edits=[{"path": "f", "search": search, "replace": replace}])
    return got["files"]["f"] if any(result["status"] == "applied" for result in got["results"]) else None


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
    assert right / answerable >= 0.95
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
    differing = set()
    for case in cases:
        expected = case["expected"]
        got = replaced(aider_blobs()[case["content_blob"]], case["search"], case["replace"])
        if expected["applied"]:
            kind = "same" if got == expected["new_content"] else "refused" if got is None else "differs"
        else:
            kind = "refused too" if got is None else "applied more"
        outcomes[kind] += 1
        if kind in {"differs", "refused"}:
            differing.add(case["id"])
    with capsys.disabled():
        print(f"\naider-replay {outcomes['same'] + outcomes['refused too']}/{len(cases)} {dict(outcomes)}")
    assert differing <= set(REPLAY_DIFFERENCES)


def test_aider_editblock(capsys):
    cases = rows("aider-editblock/messages.jsonl")
    differing = []
    for case in cases:
        got = answer("search_replace", parse_only=True, reply=case["reply"])
        expected = case["expected"]
        same = not got["ok"] if expected["error"] else got["ok"] and got["edits"] == expected["edits"]
        if not same:
            differing.append(case["id"])
    with capsys.disabled():
        print(f"\naider-editblock {len(cases) - len(differing)}/{len(cases)}")
    assert not differing


def test_aider_udiff(capsys):
    """Only the rows whose file is among the texts can be run; what must come out is known by its hash."""
    texts = json.loads((CASES / "edit-recovery/contents.json").read_text()) if CASES.exists() else {}
    texts |= {short_hash(text): text for text in aider_blobs().values()} if texts else {}
    cases = [case for case in rows("aider-units/udiff_apply.jsonl") if case["content"] in texts]
    differing, wrong = [], []
    for case in cases:
        text = texts[case["content"]]
        reply = f"```diff\n--- f\n+++ f\n@@ ... @@\n{''.join(case['hunk'])}```\n"
        got = answer("udiff", files={"f": text}, reply=reply)["files"]["f"]
        right = got == text if case["intended"] is None else short_hash(got) == case["intended"]
        if not right:
            differing.append(case["id"])
            if got != text and not same_but_blank(got, texts.get(case["intended"])):
                wrong.append(case["id"])
    on_purpose = len(set(differing) & set(UDIFF_DIFFERENCES))
    with capsys.disabled():
        passed = len(cases) - len(differing)
        print(f"\naider-units {passed}/{len(cases)} ({on_purpose} differ on purpose, wrong: {len(wrong)})")
    assert set(differing) <= set(UDIFF_DIFFERENCES)
    assert not wrong


def short_hash(text):
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]


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


def applied_in_memory(case):
    """What `ay-bot edit` makes of a case."""
    if folder := case.get("folder"):
        top = folder / "input"
        paths = [path for path in top.rglob("*") if path.is_file()] if top.exists() else []
        files = {path.relative_to(top).as_posix(): path.read_bytes().decode() for path in paths}
        patch = (folder / "patch.txt").read_text()
    else:
        files, patch = case["files"], case["patch"]
    got = answer("apply_patch", files=files, reply=patch)["files"]
    return {name: text.encode() for name, text in got.items() if text is not None}


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
        assert applied_in_memory(case) == tree_of(root), case["id"]
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
