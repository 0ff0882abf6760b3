"""The loopback GitHub's git over HTTP against a real git."""

import base64
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.loopback_github.server import LoopbackGitHub


def git(*arguments: str, at: Path | None = None, token: str = "", ok: bool = True) -> str:
    """Run git as actions/checkout sets it up: the token is in a header."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = ["-c", f"http.extraheader=AUTHORIZATION: basic {basic}"] if token else []
    run = subprocess.run(["git", *header, *arguments], cwd=at, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) is ok, run.stderr
    return run.stdout + run.stderr


@pytest.fixture
def server(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("octo/spoon", {"src/a.py": "x = 1\n", ".github/workflows/ci.yml": "on: push\n"})
    return loopback_github


def address(server: LoopbackGitHub, name: str = "octo/spoon") -> str:
    return f"{server.url}/{name}.git"


def clone(server: LoopbackGitHub, into: Path, files: dict[str, bytes]) -> Path:
    """Clone, and commit files on a branch `x`."""
    git("clone", "-q", address(server), str(into))
    git("checkout", "-q", "-b", "x", at=into)
    for name, content in files.items():
        (into / name).write_bytes(content)
    git("add", "-A", at=into)
    git("commit", "-q", "-m", "Change", at=into)
    return into


def push(server: LoopbackGitHub, work: Path, token: str, *options: str, ok: bool = True) -> str:
    return git("push", "-q", *options, address(server), "HEAD:x", at=work, token=token, ok=ok)


def test_what_is_public_is_cloned_by_anybody(server: LoopbackGitHub, tmp_path: Path) -> None:
    assert (server.fetch_branch("main", tmp_path / "w") / "src/a.py").read_text() == "x = 1\n"


def test_what_is_private_asks_for_a_token_that_may(server: LoopbackGitHub, tmp_path: Path) -> None:
    server.add_repository("octo/secret", private=True)
    server.add_user("rita", "read", repository="octo/secret")
    place = address(server, "octo/secret")
    assert "could not read Username" in git("ls-remote", place, ok=False)
    assert "could not read Username" in git("ls-remote", place, token="wrong", ok=False)
    assert "not found" in git("ls-remote", place, token=server.add_token("mallory"), ok=False)
    assert "not found" in git(
        "ls-remote", place, token=server.add_token("x[bot]", {"issues": "write"}, app="x"), ok=False
    )
    assert "refs/heads/main" in git("ls-remote", place, token=server.add_token("rita"))


def test_a_push_takes_a_token_that_may_write(server: LoopbackGitHub, tmp_path: Path) -> None:
    work = clone(server, tmp_path / "w", {"b.py": b"1\n"})
    assert "could not read Username" in push(server, work, "", ok=False)
    said = push(server, work, server.add_token("mallory"), ok=False)
    assert "403" in said
    assert "Permission to octo/spoon.git denied to mallory" in said
    push(server, work, server.add_actions_token({"contents": "read"}), ok=False)
    assert server.branch("x") is None
    push(server, work, server.add_actions_token())
    assert server.file("b.py", "x") == b"1\n"
    assert server.repository().activities[-1]["login"] == "github-actions[bot]"


def test_large_pushes_come_in_chunks(server: LoopbackGitHub, tmp_path: Path) -> None:
    work = clone(server, tmp_path / "w", {"big": os.urandom(3_000_000)})
    push(server, work, server.add_actions_token())
    assert len(server.file("big", "x") or b"") == 3_000_000
    (tmp_path / "shallow").mkdir()
    git("clone", "-q", "--depth=1", "-b", "x", address(server), str(tmp_path / "shallow"))


def test_any_commit_is_fetched_by_its_id(server: LoopbackGitHub, tmp_path: Path) -> None:
    first = server.branch("main")
    gone = server.push("x", {"b.py": "1\n"})
    server.push("x", {"b.py": "2\n"})
    git("init", "-q", "--bare", str(tmp_path / "w"))
    for commit in (first, gone):
        git("fetch", "-q", "--depth=1", address(server), str(commit), at=tmp_path / "w")


def test_forced_pushes_are_told_apart(server: LoopbackGitHub, tmp_path: Path) -> None:
    work, token = clone(server, tmp_path / "w", {"b.py": b"1\n"}), server.add_actions_token()
    there = server.push("x", {"c.py": "somebody else's\n"})
    assert "rejected" in push(server, work, token, ok=False)
    assert "stale" in push(server, work, token, "--force-with-lease=x:" + "1" * 40, ok=False)
    push(server, work, token, f"--force-with-lease=x:{there}")
    assert server.repository().activities[-1]["activity_type"] == "force_push"


def test_an_app_without_that_permission_changes_no_workflow(server: LoopbackGitHub, tmp_path: Path) -> None:
    work, token = clone(server, tmp_path / "w", {"b.py": b"1\n"}), server.add_actions_token()
    push(server, work, token)
    (work / ".github/workflows/ci.yml").write_text("on: [push, pull_request]\n")
    git("commit", "-q", "-am", "Workflow", at=work)
    assert "without `workflows` permission" in push(server, work, token, ok=False)
    push(server, work, server.add_token("octo"))


def test_a_protected_branch_takes_no_push(server: LoopbackGitHub, tmp_path: Path) -> None:
    work = clone(server, tmp_path / "w", {"b.py": b"1\n"})
    server.repository().protected.add("x")
    assert "GH006" in push(server, work, server.add_actions_token(), ok=False)


def test_maintainers_push_to_a_fork_that_lets_them(server: LoopbackGitHub, tmp_path: Path) -> None:
    server.fork("mallory")
    server.add_user("maria", "write", repository="octo/spoon")
    server.push("x", {"c.py": "1\n"}, repository="mallory/spoon")
    pull = server.open_pull(head="x", head_repository="mallory/spoon", login="mallory", repository="octo/spoon")
    git("clone", "-q", "-b", "x", address(server, "mallory/spoon"), str(tmp_path / "w"))
    git("commit", "-q", "--allow-empty", "-m", "More", at=tmp_path / "w")
    place, token = address(server, "mallory/spoon"), server.add_token("maria")
    assert "403" in git("push", place, "x", at=tmp_path / "w", token=token, ok=False)
    pull.maintainer_can_modify = True
    git("push", "-q", place, "x", at=tmp_path / "w", token=token)
    assert server.pulls("octo/spoon")[0].head == server.branch("x", "mallory/spoon")


def test_many_clone_at_once(server: LoopbackGitHub, tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: server.fetch_branch("main", tmp_path / str(n)), range(6)))


def test_a_push_whose_answer_is_lost(server: LoopbackGitHub, tmp_path: Path) -> None:
    work = clone(server, tmp_path / "w", {"b.py": b"1\n"})
    server.fail("WRITE", "git-receive-pack$", "drop-after")
    push(server, work, server.add_actions_token(), ok=False)
    assert server.branch("x") == git("rev-parse", "HEAD", at=work).strip()


def test_git_over_tls(tmp_path: Path) -> None:
    with LoopbackGitHub(tmp_path / "github", names=["localhost"]) as server:
        server.add_repository("octo/spoon")
        assert server.url.startswith("https://")
        assert (server.fetch_branch("main", tmp_path / "w") / "README.md").exists()
