import os
from pathlib import Path

import pytest
from git_repositories import fingerprint, git, make_repository, write_files

from ay_bot.errors import UsageError
from ay_bot.host.repository import open_repository

HOSTILE = "exit 1; touch {marker}"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo", {"a.py": "a = 1\n", "pkg/b.py": "b = 2\n"})


def test_describes_a_repository(repository: Path) -> None:
    found = open_repository(repository)
    assert found.path == repository
    assert found.git_dir == found.common_dir == repository / ".git"
    assert found.objects == repository / ".git" / "objects"
    assert found.head == git(repository, "rev-parse", "HEAD")
    assert (found.branch, found.bare, found.dirt, found.dirty) == ("main", False, "clean", False)
    assert found.object_format == "sha1"
    assert found.notices == ()


def test_is_found_from_a_subdirectory_and_through_a_link(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository / "pkg")
    assert open_repository(repository / "pkg").path == repository
    assert open_repository(tmp_path / "link").path == repository


def test_knows_a_detached_head(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert open_repository(repository).branch is None


def test_a_branch_name_may_hold_slashes(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "feature/x")
    assert open_repository(repository).branch == "feature/x"


def test_a_bare_repository_is_fine(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    found = open_repository(tmp_path / "bare.git")
    assert found.bare
    assert found.path == found.git_dir == tmp_path / "bare.git"
    assert found.dirt == "clean"


def test_a_linked_work_tree_shares_objects(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    found = open_repository(tmp_path / "other")
    assert found.path == tmp_path / "other"
    assert found.branch == "other"
    assert found.git_dir != found.common_dir == repository / ".git"


def test_sha256(tmp_path: Path) -> None:
    found = open_repository(make_repository(tmp_path / "repo", {"a": "1"}, "--object-format=sha256"))
    assert found.object_format == "sha256"
    assert len(found.head) == 64


@pytest.mark.parametrize("change", ["edit", "delete", "stage", "untracked", "mode", "replace"])
def test_sees_every_kind_of_change(repository: Path, change: str) -> None:
    match change:
        case "edit":
            (repository / "a.py").write_text("a = 2\n")
        case "delete":
            (repository / "a.py").unlink()
        case "stage":
            (repository / "c.py").write_text("")
            git(repository, "add", "c.py")
        case "untracked":
            (repository / "c.py").write_text("")
        case "mode":
            (repository / "a.py").chmod(0o755)
        case "replace":
            (repository / "a.py").unlink()
            (repository / "a.py").symlink_to("pkg/b.py")
    found = open_repository(repository)
    assert found.dirty
    assert found.head[:12] in found.notices[0]


def test_a_touched_file_is_no_change(repository: Path) -> None:
    os.utime(repository / "a.py", (1, 1))
    assert open_repository(repository).dirt == "clean"


def test_an_ignored_file_is_no_change(repository: Path) -> None:
    write_files(repository, {".gitignore": "build/\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "ignore")
    write_files(repository, {"build/x": "1"})
    assert open_repository(repository).dirt == "clean"


def test_changes_nothing(repository: Path) -> None:
    os.utime(repository / "a.py", (1, 1))  # a refresh would write the index now
    before = fingerprint(repository)
    open_repository(repository / "pkg")
    assert fingerprint(repository) == before


def test_at_33_runs_nothing_that_the_repository_configures(repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "diff.x.textconv", "diff.external"):
        git(repository, "config", key, str(script))
    git(repository, "config", "core.hooksPath", str(tmp_path))
    for hook in ("post-index-change", "reference-transaction"):
        (tmp_path / hook).write_bytes(script.read_bytes())
        (tmp_path / hook).chmod(0o755)
    write_files(repository, {".gitattributes": "* filter=x diff=x\n"})
    os.utime(repository / "a.py", (1, 1))
    found = open_repository(repository)
    assert found.dirty  # for the new .gitattributes
    assert not marker.exists()


def test_at_33_missing_objects_are_not_fetched_by_a_command_of_the_repositorys_choice(
    repository: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    tree = git(repository, "rev-parse", "HEAD:pkg")
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c touch% {marker}",
        "protocol.ext.allow": "always",
    }.items():
        git(repository, "config", key, value)
    with pytest.raises(UsageError, match="can't be read"):
        open_repository(repository)
    assert not marker.exists()


def test_filters_make_content_unknowable(repository: Path) -> None:
    write_files(repository, {".gitattributes": "*.py text\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "attributes")
    write_files(repository, {"a.py": "a = 1\r\n"})
    found = open_repository(repository)
    assert found.dirt == "unknown"
    assert "can't be told" in found.notices[0]


def test_tells_of_submodules_lfs_and_odd_names(repository: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    write_files(repository, {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "x.bin": pointer})
    (Path(os.fsdecode(os.fsencode(repository) + b"/caf\xe9.txt"))).write_text("1")
    git(repository, "-c", "filter.lfs.clean=cat", "add", "-A")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{git(repository, 'rev-parse', 'HEAD')},module")
    git(repository, "commit", "-q", "-m", "odd")
    notices = " ".join(open_repository(repository).notices)
    assert "1 submodule is left empty" in notices
    assert "1 file is kept in Git LFS" in notices
    assert "1 file name is not in UTF-8" in notices


def test_tells_of_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    found = open_repository(tmp_path / "shallow")
    assert found.shallow
    assert any("shallow" in notice for notice in found.notices)


def _refusal(path: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        open_repository(path)
    assert caught.value.hint
    return caught.value


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    assert "does not exist" in _refusal(tmp_path / "nowhere").message


def test_refuses_a_file(repository: Path) -> None:
    assert "is a file" in _refusal(repository / "a.py").message


def test_refuses_a_directory_without_a_repository(tmp_path: Path) -> None:
    error = _refusal(tmp_path)
    assert "is not in a git repository" in error.message
    assert "git init" in error.hint


def test_refuses_an_unborn_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    error = _refusal(tmp_path)
    assert "trunk is unborn" in error.message


def test_refuses_the_inside_of_dot_git(repository: Path) -> None:
    assert "inside the .git directory" in _refusal(repository / ".git").message


def test_refuses_a_missing_commit(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    (repository / ".git" / "objects" / head[:2] / head[2:]).unlink()
    error = _refusal(repository)
    assert "can't be read" in error.message
    assert "fsck" in error.hint


def test_refuses_a_missing_tree(repository: Path) -> None:
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert "can't be read" in _refusal(repository).message


def test_refuses_a_broken_configuration(repository: Path) -> None:
    (repository / ".git" / "config").write_text("[core\n")
    assert "git can't read" in _refusal(repository).message


def test_refuses_a_repository_of_somebody_else(repository: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    error = _refusal(repository)
    assert "belongs to another user" in error.message
    assert "safe.directory" in error.hint


def test_respects_what_the_user_trusts(repository: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    settings = Path.home() / ".gitconfig"
    settings.write_text(f"[safe]\n\tdirectory = {repository}\n")
    try:
        assert open_repository(repository).path == repository
    finally:
        settings.unlink()


def test_says_when_git_is_missing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "git was not found" in _refusal(repository).message
