"""Which AGENTS.md files count: against Codex's own results, and in commits with links and traps."""

import base64
import json
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from ay_bot.host.checkout import open_checkout
from ay_bot.host.commit_tree import CommitTree
from ay_bot.host.instructions import find_instructions, list_deeper
from ay_bot.host.repository import open_repository

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("AY_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "codex-agents-md"


class DirectoryTree:
    """A directory of this machine, as a tree."""

    def __init__(self, top):
        self.top = top

    def read(self, path, most):
        file = self.top / path
        return file.read_bytes()[:most] if file.is_file() else None

    def has(self, path):
        return (self.top / path).exists()

    def real(self, directory):
        return "" if directory in ("", ".") else os.path.relpath(os.path.realpath(self.top / directory), self.top)


def lay_out(case, top):
    for name, content in case["files"].items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else base64.b64decode(content["b64"]))
    for name in case["dirs"]:
        (top / name).mkdir(parents=True, exist_ok=True)
    for name, target in case["symlinks"].items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).symlink_to(target)
    (top / case["cwd"]).mkdir(parents=True, exist_ok=True)


def answer(case, top):
    settings = tomllib.loads(case["config_toml"])
    home = case["codex_home"]
    found = find_instructions(
        DirectoryTree(top),
        case["cwd"],
        fallbacks=settings.get("project_doc_fallback_filenames", ()),
        most_bytes=settings.get("project_doc_max_bytes", 32 * 1024),
        markers=settings.get("project_root_markers", (".git",)),
        standing=home.get("AGENTS.override.md", home.get("AGENTS.md", "")),
    )
    return found.text or None


@pytest.mark.skipif(not CASES.exists(), reason="the cases of other systems are not beside the project")
def test_codex_agents_md(tmp_path, capsys):
    cases = [json.loads(line) for line in (CASES / "cases.jsonl").read_text().splitlines()]
    wrong = []
    for case in cases:
        top = tmp_path / case["id"]
        top.mkdir()
        lay_out(case, top)
        if answer(case, top) != case["expected"]["text"]:
            wrong.append(case["id"])
    with capsys.disabled():
        print(f"\ncodex-agents-md {len(cases) - len(wrong)}/{len(cases)}")
    assert not wrong


@pytest.fixture
def commit(tmp_path):
    """A function that commits files (a str starting with -> is a link) and opens the tree of the commit."""
    top = tmp_path / "repository"
    top.mkdir()
    opened = []

    def make(files):
        for name, content in files.items():
            file = top / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if content.startswith("->"):
                file.symlink_to(content[2:])
            else:
                file.write_text(content)
        subprocess.run(["git", "init", "-q", "."], cwd=top, check=True)
        subprocess.run(["git", "add", "-A"], cwd=top, check=True)
        subprocess.run(["git", "commit", "-qm", "x"], cwd=top, check=True)
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        repository = open_repository(top)
        manager = open_checkout(repository, scratch)
        opened.append(manager)
        return CommitTree(manager.__enter__(), repository.head)

    yield make
    for manager in opened:
        manager.__exit__(None, None, None)


def test_a_commit_is_read_as_a_directory_would_be(commit):
    tree = commit({"AGENTS.md": "->docs/rules.md", "docs/rules.md": "rules", "a/AGENTS.md": "deep", "b": "->a"})
    assert find_instructions(tree).text == "rules"
    assert find_instructions(tree, "a").text == "rules\n\ndeep"
    assert find_instructions(tree, "b").sources == ("AGENTS.md", "a/AGENTS.md")
    assert list_deeper(tree.paths, find_instructions(tree).sources) == ("a/AGENTS.md",)


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "AGENTS.md", "a/../../x", "nowhere"])
def test_a_link_that_leaves_or_circles_is_nothing(commit, target):
    tree = commit({"AGENTS.md": f"->{target}", "a/x": ""})
    assert find_instructions(tree).text == ""


def test_what_is_too_long_is_cut_and_told(commit):
    tree = commit({"AGENTS.md": "a" * 60, "sub/AGENTS.md": "b" * 60})
    found = find_instructions(tree, "sub", most_bytes=100)
    assert found.text == "a" * 60 + "\n\n" + "b" * 40
    assert found.cut
    assert not find_instructions(tree, "sub", most_bytes=120).cut
