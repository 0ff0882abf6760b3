"""git over smart HTTP on the bare repositories, with GitHub's answers to tokens that may not."""

import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.loopback_github.git_store import environment
from tests.loopback_github.world import Repository, Token, World

SERVICES = ("git-upload-pack", "git-receive-pack")


@dataclass(frozen=True)
class Denied:
    """Why git may not: 401 asks for credentials, 404 hides what is private."""

    status: int
    text: str


def judge(world: World, repository: Repository | None, token: Token | None, service: str) -> Denied | None:
    """Return why this caller may not use this service, or nothing."""
    if repository is None or not _reads(world, repository, token):
        return Denied(404, "Repository not found.") if token else Denied(401, "Authentication required.")
    if service != "git-receive-pack":
        return None
    if token is None:
        return Denied(401, "Authentication required.")
    if not _writes(world, repository, token):
        return Denied(403, f"Permission to {repository.full_name}.git denied to {token.login}.")
    return None


def _within(repository: Repository, token: Token) -> bool:
    return token.repositories is None or repository.full_name.lower() in token.repositories


def _reads(world: World, repository: Repository, token: Token | None) -> bool:
    if not repository.private:
        return True
    if token is None:
        return False
    if token.permissions is not None and not (_within(repository, token) and token.permissions.get("contents")):
        return False
    return bool(token.app) or world.role(repository, token.login) != "none"


def _writes(world: World, repository: Repository, token: Token) -> bool:
    if token.permissions is not None:
        if not _within(repository, token) or token.permissions.get("contents") != "write":
            return False
        if token.app:
            return True
    return world.reaches(repository, token.login, "write") or _maintains(world, repository, token)


def _maintains(world: World, repository: Repository, token: Token) -> bool:
    """Whether a fork lets maintainers of its parent push to the branch of an open pull request."""
    parent = world.repository(repository.fork_of or "")
    if parent is None or not world.reaches(parent, token.login, "write"):
        return False
    threads = parent.threads.values()
    return any(
        t.maintainer_can_modify and t.head_repository == repository.full_name for t in threads if t.state == "open"
    )


@dataclass(frozen=True)
class BackendAnswer:
    status: int
    headers: list[tuple[str, str]]
    chunks: Iterator[bytes]


def serve(
    repository: Repository, token: Token | None, request: Mapping[str, str], body: Iterator[bytes]
) -> BackendAnswer:
    """Let `git http-backend` answer; `request` has method, service path, query, content type and the rest."""
    workflows = token is None or token.permissions is None or token.permissions.get("workflows") == "write"
    variables = environment(
        GIT_PROJECT_ROOT=str(repository.git.parent),
        GIT_HTTP_EXPORT_ALL="1",
        PATH_INFO=f"/{repository.git.name}/{request['path']}",
        REQUEST_METHOD=request["method"],
        QUERY_STRING=request["query"],
        CONTENT_TYPE=request["type"],
        HTTP_CONTENT_ENCODING=request["encoding"],
        GIT_PROTOCOL=request["protocol"],
        REMOTE_USER=token.login if token else "",
        LOOPBACK_WORKFLOWS="1" if workflows else "0",
        LOOPBACK_PROTECTED=" ".join(sorted(repository.protected)),
    )
    process = subprocess.Popen(
        ["git", "http-backend"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=variables
    )
    feeder = threading.Thread(target=_feed, args=(process, body), daemon=True)
    feeder.start()
    status, headers = _read_head(process)
    return BackendAnswer(status, headers, _rest(process, feeder))


def _feed(process: subprocess.Popen[bytes], body: Iterator[bytes]) -> None:
    assert process.stdin
    try:
        for chunk in body:
            process.stdin.write(chunk)
        process.stdin.close()
    except (BrokenPipeError, ConnectionError, OSError):
        process.kill()


def _read_head(process: subprocess.Popen[bytes]) -> tuple[int, list[tuple[str, str]]]:
    assert process.stdout
    status, headers = 200, []
    for line in iter(process.stdout.readline, b""):
        name, _, value = line.decode("latin-1").strip().partition(": ")
        if not name:
            break
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value))
    return status, headers


def _rest(process: subprocess.Popen[bytes], feeder: threading.Thread) -> Iterator[bytes]:
    assert process.stdout
    try:
        while chunk := process.stdout.read1(65536):
            yield chunk
    finally:
        process.stdout.close()
        feeder.join(10)
        process.wait(10)
        if process.stdin and not process.stdin.closed:
            process.stdin.close()
