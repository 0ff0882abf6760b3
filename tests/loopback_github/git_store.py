"""The bare repositories on disk, asked and changed with git itself."""

import os
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

WEB_FLOW = ("GitHub", "noreply@github.com")
HOOK = """#!/bin/sh
# GitHub refuses workflow files from a token without that permission, and pushes to protected branches.
case " $LOOPBACK_PROTECTED " in *" ${1#refs/heads/} "*)
  echo "error: GH006: Protected branch update failed for $1." >&2; exit 1;; esac
[ "$LOOPBACK_WORKFLOWS" = 0 ] || exit 0
nothing=0000000000000000000000000000000000000000
[ "$3" = $nothing ] && exit 0
old=$2; [ "$old" = $nothing ] && old=HEAD
file=$(git diff --name-only "$old" "$3" -- .github/workflows | head -1)
[ -z "$file" ] && exit 0
echo "refusing to allow a GitHub App to create or update workflow \\`$file\\` without \\`workflows\\` permission" >&2
exit 1
"""


def environment(**more: str) -> dict[str, str]:
    """Return what git sees: nothing of whoever runs the tests."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        **more,
    }


def git(directory: Path, *arguments: str, data: bytes | None = None, ok: bool = True, **more: str) -> bytes | None:
    """Run git on a bare repository; None where it fails and `ok` is false."""
    run = subprocess.run(
        ["git", *arguments], check=False, cwd=directory, input=data, capture_output=True, env=environment(**more)
    )
    if run.returncode and not ok:
        return None
    if run.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {run.stderr.decode('utf-8', 'replace')}")
    return run.stdout


def text(directory: Path, *arguments: str, ok: bool = True) -> str:
    found = git(directory, *arguments, ok=ok)
    return (found or b"").decode("utf-8", "replace").strip()


CONFIG = """
[uploadpack]
    allowAnySHA1InWant = true
    allowFilter = true
[http]
    receivepack = true
[receive]
    denyCurrentBranch = ignore
"""


def make_bare(directory: Path, default_branch: str) -> Path:
    """Make an empty bare repository that serves any commit and takes pushes."""
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "--bare", "--template=", "-b", default_branch)
    with (directory / "config").open("a") as config:
        config.write(CONFIG)
    (directory / "hooks").mkdir()
    (directory / "hooks" / "update").write_text(HOOK)
    (directory / "hooks" / "update").chmod(0o755)
    return directory


def resolve(directory: Path, name: str) -> str | None:
    """Return the commit of a branch, tag, sha or `heads/…`."""
    for candidate in (f"refs/heads/{name}", f"refs/{name}", f"refs/tags/{name}", name):
        if not candidate.startswith("-") and (
            sha := text(directory, "rev-parse", "-q", "--verify", candidate + "^{commit}", ok=False)
        ):
            return sha
    return None


def branch_head(directory: Path, branch: str) -> str | None:
    return text(directory, "rev-parse", "-q", "--verify", f"refs/heads/{branch}^{{commit}}", ok=False) or None


def set_ref(directory: Path, ref: str, sha: str) -> None:
    git(directory, "update-ref", ref, sha)


def delete_ref(directory: Path, ref: str) -> None:
    git(directory, "update-ref", "-d", ref)


def refs(directory: Path, prefix: str) -> dict[str, str]:
    lines = text(directory, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name: sha for name, sha in (line.split(" ") for line in lines) if name.startswith(prefix)}


def commit_files(
    directory: Path,
    parent: str | None,
    files: Mapping[str, str | bytes | None],
    message: str,
    author: tuple[str, str],
    committer: tuple[str, str] | None = None,
    modes: Mapping[str, str] | None = None,
) -> str:
    """Make a commit on top of `parent`: a file's content, or None to delete it."""
    index = directory / f"index.{os.urandom(6).hex()}"
    try:
        git(directory, "read-tree", *([parent] if parent else ["--empty"]), GIT_INDEX_FILE=str(index))
        lines = b"".join(
            _index_line(directory, path, content, (modes or {}).get(path, "100644")) for path, content in files.items()
        )
        git(directory, "update-index", "-z", "--index-info", data=lines, GIT_INDEX_FILE=str(index))
        tree = (git(directory, "write-tree", GIT_INDEX_FILE=str(index)) or b"").decode().strip()
    finally:
        index.unlink(missing_ok=True)
    name, email = committer or author
    made = git(
        directory, "commit-tree", tree, *(["-p", parent] if parent else []), data=message.encode(),
        GIT_AUTHOR_NAME=author[0], GIT_AUTHOR_EMAIL=author[1], GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=email,
    )  # fmt: skip
    return (made or b"").decode().strip()


def _index_line(directory: Path, path: str, content: str | bytes | None, mode: str) -> bytes:
    if content is None:
        return b"0 " + b"0" * 40 + b"\t" + path.encode() + b"\0"
    data = content.encode() if isinstance(content, str) else content
    blob = (git(directory, "hash-object", "-w", "--stdin", data=data) or b"").strip()
    return mode.encode() + b" " + blob + b"\t" + path.encode() + b"\0"


def blob(directory: Path, commit: str, path: str) -> bytes | None:
    return git(directory, "cat-file", "blob", f"{commit}:{path}", ok=False)


def entries(directory: Path, commit: str, path: str) -> list[dict[str, str]]:
    """List a folder, or a file alone: mode, kind, sha, size, path."""
    found = git(directory, "ls-tree", "-z", "--long", commit, *([path] if path else []), ok=False) or b""
    rows = [line.decode("utf-8", "replace").partition("\t") for line in found.split(b"\0") if line]
    return [dict(zip(("mode", "kind", "sha", "size"), head.split(), strict=True), path=name) for head, _, name in rows]


FIELDS = ("sha", "tree", "parents", "author_name", "author_email", "author_date", "name", "email", "date", "message")
FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"


def commits(directory: Path, *selection: str) -> list[dict[str, Any]]:
    """Return commits as git log names them, newest first."""
    found = (
        git(directory, "log", f"--format={FORMAT}", *selection, *(() if "--" in selection else ("--",)), ok=False)
        or b""
    )
    rows = [row.strip(b"\n").decode("utf-8", "replace").split("\0") for row in found.split(b"\x01") if row.strip()]
    return [{**dict(zip(FIELDS, row, strict=False)), "parents": row[2].split()} for row in rows]


def merge_base(directory: Path, one: str, other: str) -> str | None:
    return text(directory, "merge-base", one, other, ok=False) or None


@lru_cache(256)
def changed_files(directory: Path, base: str, head: str) -> list[dict[str, Any]]:
    """Return what a pull request changes: path, status, additions, deletions and the patch."""
    diff = ("--literal-pathspecs", "diff", "-z", "--no-renames")
    names = text(directory, *diff, "--name-status", base, head).rstrip("\0").split("\0")
    counts = text(directory, *diff, "--numstat", base, head).rstrip("\0").split("\0")
    by_path = {path: (added, removed) for added, removed, path in (row.split("\t", 2) for row in counts if row)}
    found = []
    for status, path in zip(names[::2], names[1::2], strict=False):
        patch = (git(directory, *diff, base, head, "--", path) or b"").decode("utf-8", "replace").rstrip("\n")
        added, removed = (int(count) if count.isdigit() else 0 for count in by_path[path])
        at = patch.find("\n@@")
        row = {"path": path, "status": {"A": "added", "D": "removed"}.get(status, "modified"), "additions": added}
        found.append({**row, "deletions": removed, "patch": patch[at + 1 :] if at >= 0 else ""})
    return found


@lru_cache(256)
def can_merge(directory: Path, base: str, head: str) -> bool:
    return git(directory, "merge-tree", "--write-tree", base, head, ok=False) is not None


def merge(directory: Path, base: str, head: str, message: str, author: tuple[str, str]) -> str:
    """Make a merge commit."""
    tree = text(directory, "merge-tree", "--write-tree", base, head)
    who = {"GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1]}
    who |= {"GIT_COMMITTER_NAME": WEB_FLOW[0], "GIT_COMMITTER_EMAIL": WEB_FLOW[1]}
    made = git(directory, "commit-tree", tree, "-p", base, "-p", head, data=message.encode(), **who)
    return (made or b"").decode().strip()


def fetch_into(directory: Path, source: Path, sha: str) -> None:
    """Bring a fork's commit in, as GitHub's shared object store would."""
    git(directory, "fetch", "-q", "--no-tags", str(source), sha, ok=False, GIT_ALLOW_PROTOCOL="file")
