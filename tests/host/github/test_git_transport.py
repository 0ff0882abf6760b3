"""git against a server on loopback: what is fetched and pushed, and where the token is not."""

import base64
import os
import re
import stat
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ay_bot.errors import AnswerLost, GithubFailed, HeadMoved, NotAllowed, UsageError
from ay_bot.host.checkout import Author, Checkout, open_checkout
from ay_bot.host.git import run_git
from ay_bot.host.github.api_failures import Missing
from ay_bot.host.github.credentials import Token
from ay_bot.host.github.git_failures import push_failure
from ay_bot.host.github.git_transport import Remote, git_environment
from ay_bot.host.repository import Repository
from ay_bot.host.tree_stream import TreeChange
from tests.loopback_github.server import LoopbackGitHub

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAIN = "main"


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("maria/bank", {"bank.py": "balance = 0\n", "src/a.py": "a\n"}, private=True)
    for number in range(3):
        loopback_github.push(MAIN, {"bank.py": f"balance = {number + 1}\n"})
    return loopback_github


@pytest.fixture
def secret(github: LoopbackGitHub) -> str:
    return github.add_actions_token()


@pytest.fixture
def remote(github: LoopbackGitHub, secret: str) -> Remote:
    return remote_with(github, secret)


def remote_with(github: LoopbackGitHub, secret: str, repository: str = "maria/bank") -> Remote:
    return Remote(f"{github.url}/{repository}.git", lambda: Token.of(secret) if secret else None)


@pytest.fixture
def clone(remote: Remote, github: LoopbackGitHub, tmp_path: Path) -> Repository:
    return remote.clone_pinned(head_of(github), tmp_path / "clone")


@pytest.fixture
def checkout(clone: Repository, tmp_path: Path) -> Iterator[Checkout]:
    (tmp_path / "scratch").mkdir()
    with open_checkout(clone, tmp_path / "scratch") as made:
        yield made


def head_of(github: LoopbackGitHub, branch: str = MAIN) -> str:
    found = github.branch(branch, "maria/bank")
    assert found
    return found


def commit(checkout: Checkout, files: dict[str, bytes], parent: str = "") -> str:
    parent = parent or checkout.repository.head
    changes = [TreeChange(path=path.encode(), mode="100644", content=content) for path, content in files.items()]
    return checkout.commit(checkout.write_tree(parent, changes), parent, "Fix it\n", Author(), NOON)


def every_file(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


# ---------------------------------------------------------------------- clones


def test_a_clone_holds_one_commit_and_nothing_more(clone: Repository, github: LoopbackGitHub) -> None:
    assert (clone.head, clone.bare, clone.shallow, clone.branch, clone.notices) == (
        head_of(github),
        True,
        True,
        None,
        (),
    )
    objects = run_git(["rev-list", "--all"], git_dir=clone.git_dir).decode().split()
    assert objects == [clone.head]
    assert run_git(["rev-parse", "HEAD"], git_dir=clone.git_dir).decode().strip() == clone.head
    assert not list((clone.git_dir / "hooks").glob("*")) if (clone.git_dir / "hooks").exists() else True


def test_a_run_can_work_from_it(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.read_file(checkout.repository.head, "bank.py") == b"balance = 3\n"
    assert checkout.archive(checkout.repository.head, tmp_path / "tree.tar") > 0
    fixed = commit(checkout, {"bank.py": b"balance = 42\n"})
    assert [change.path for change in checkout.compare(checkout.repository.head, fixed)] == [b"bank.py"]


def test_history_is_fetched_where_it_is_wanted(remote: Remote, github: LoopbackGitHub, tmp_path: Path) -> None:
    def history(clone: Repository) -> int:
        return len(run_git(["rev-list", clone.head], git_dir=clone.git_dir).split())

    assert history(remote.clone_pinned(head_of(github), tmp_path / "two", depth=2)) == 2
    whole = remote.clone_pinned(head_of(github), tmp_path / "whole", depth=0)
    assert (history(whole), whole.shallow) == (4, False)
    deeper = remote.clone_pinned(head_of(github), tmp_path / "deeper")
    remote.fetch(deeper.git_dir, [deeper.head], depth=0)
    assert history(deeper) == 4


def test_another_commit_is_fetched_beside_it(clone: Repository, remote: Remote, github: LoopbackGitHub) -> None:
    other = github.push("other", {"b.py": "b\n"})
    remote.fetch(clone.git_dir, [other], depth=0)
    base = run_git(["merge-base", other, clone.head], git_dir=clone.git_dir).decode().strip()
    assert base == clone.head


def test_a_commit_of_a_branch_that_moved_on_is_still_the_one(
    remote: Remote, github: LoopbackGitHub, tmp_path: Path
) -> None:
    pinned = head_of(github)
    github.push(MAIN, {"bank.py": "balance = -1\n"})
    assert remote.clone_pinned(pinned, tmp_path / "clone").head == pinned


def test_the_head_of_a_fork_is_fetched_from_the_repository_that_is_asked(
    remote: Remote, github: LoopbackGitHub, tmp_path: Path
) -> None:
    github.fork("otto", "maria/bank")
    head = github.push("fix", {"bank.py": "balance = 7\n"}, repository="otto/bank")
    github.open_pull(head="fix", login="otto", head_repository="otto/bank", repository="maria/bank")
    clone = remote.clone_pinned(head, tmp_path / "clone")
    assert run_git(["cat-file", "-p", f"{clone.head}:bank.py"], git_dir=clone.git_dir) == b"balance = 7\n"


def test_a_commit_that_is_gone(remote: Remote, tmp_path: Path) -> None:
    with pytest.raises(HeadMoved, match="no commit 0123456789ab"):
        remote.clone_pinned("0123456789abcdef" * 2 + "01234567", tmp_path / "clone")


def test_who_may_not_read_is_told_so(github: LoopbackGitHub, tmp_path: Path) -> None:
    sha = head_of(github)
    with pytest.raises(GithubFailed, match="does not accept the token"):
        remote_with(github, "").clone_pinned(sha, tmp_path / "a")
    with pytest.raises(GithubFailed, match="does not accept the token"):
        remote_with(github, "wrong").clone_pinned(sha, tmp_path / "b")
    with pytest.raises(Missing):
        remote_with(github, github.add_token("mallory")).clone_pinned(sha, tmp_path / "c")
    with pytest.raises(Missing):
        remote_with(github, github.add_token("maria"), "maria/nothing").clone_pinned(sha, tmp_path / "d")


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GithubFailed, match="can't be reached"):
        Remote("http://127.0.0.1:9/a/b.git").clone_pinned("0" * 40, tmp_path / "clone")


def test_at_36_a_tree_that_attacks_is_not_taken(github: LoopbackGitHub, remote: Remote, tmp_path: Path) -> None:
    git_dir = github.repository().git
    blob = run_git(
        ["hash-object", "-w", "--stdin"], git_dir=git_dir, data=b"[core]\n\tfsmonitor = touch pwned\n"
    ).strip()
    inner = run_git(["mktree"], git_dir=git_dir, data=b"100644 blob " + blob + b"\tconfig\n").strip().decode()
    raw = b"40000 .git\0" + bytes.fromhex(inner)
    tree = run_git(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], git_dir=git_dir, data=raw).strip()
    who = {f"GIT_{role}_{what}": "x@example.invalid" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    evil = run_git(["commit-tree", "-m", "x", tree.decode()], git_dir=git_dir, environment=who).decode().strip()
    run_git(["update-ref", "refs/heads/evil", evil], git_dir=git_dir)
    with pytest.raises(GithubFailed, match="thinks is an attack"):
        remote.clone_pinned(evil, tmp_path / "clone")


def test_an_old_repository_with_old_mistakes_is_taken(github: LoopbackGitHub, remote: Remote, tmp_path: Path) -> None:
    git_dir = github.repository().git
    tree = run_git(["rev-parse", "main^{tree}"], git_dir=git_dir).decode().strip()
    raw = f"tree {tree}\nauthor Nobody<> 0 +0\ncommitter  <nobody> 18446744073709551616 +051800\n\nOld\n".encode()
    made = run_git(["hash-object", "-w", "-t", "commit", "--literally", "--stdin"], git_dir=git_dir, data=raw)
    old = made.decode().strip()
    run_git(["update-ref", "refs/heads/old", old], git_dir=git_dir)
    assert remote.clone_pinned(old, tmp_path / "clone").head == old


# ---------------------------------------------------------------------- pushes


def test_a_new_branch_is_pushed_once(checkout: Checkout, remote: Remote, github: LoopbackGitHub) -> None:
    made = commit(checkout, {"bank.py": b"balance = 42\n"})
    remote.push(checkout.git_dir, made, "ay/1-fix", None)
    assert head_of(github, "ay/1-fix") == made
    assert github.file("bank.py", "ay/1-fix") == b"balance = 42\n"
    other = commit(checkout, {"bank.py": b"balance = 43\n"})
    with pytest.raises(HeadMoved):
        remote.push(checkout.git_dir, other, "ay/1-fix", None)
    assert head_of(github, "ay/1-fix") == made


def test_our_branch_is_replaced_only_where_it_is_what_we_think(
    checkout: Checkout, remote: Remote, github: LoopbackGitHub
) -> None:
    first = commit(checkout, {"bank.py": b"balance = 42\n"})
    second = commit(checkout, {"bank.py": b"balance = 43\n"})
    remote.push(checkout.git_dir, first, "ay/1", None)
    remote.push(checkout.git_dir, second, "ay/1", first)
    assert head_of(github, "ay/1") == second
    theirs = github.push("ay/1", {"notes.txt": "a person was here\n"})
    with pytest.raises(HeadMoved, match="ay/1"):
        remote.push(checkout.git_dir, first, "ay/1", second)
    assert head_of(github, "ay/1") == theirs


def test_three_megabytes_are_pushed(checkout: Checkout, remote: Remote, github: LoopbackGitHub) -> None:
    blob = os.urandom(3 * 1024 * 1024)
    remote.push(checkout.git_dir, commit(checkout, {"big.bin": blob}), "ay/big", None)
    assert github.file("big.bin", "ay/big") == blob


def test_who_may_not_push_is_told_what_is_missing(checkout: Checkout, github: LoopbackGitHub) -> None:
    made = commit(checkout, {"bank.py": b"x\n"})
    reader = remote_with(github, github.add_actions_token({"contents": "read"}))
    with pytest.raises(NotAllowed) as caught:
        reader.push(checkout.git_dir, made, "ay/1", None)
    assert "contents: write" in caught.value.hint
    assert github.branch("ay/1") is None


def test_a_protected_branch_and_workflow_files_are_refused(
    checkout: Checkout, remote: Remote, github: LoopbackGitHub
) -> None:
    github.repository().protected.add(MAIN)
    with pytest.raises(NotAllowed, match="Protected") as caught:
        remote.push(checkout.git_dir, commit(checkout, {"bank.py": b"x\n"}), MAIN, checkout.repository.head)
    assert "branches of its own" in caught.value.hint
    workflow = commit(checkout, {".github/workflows/x.yml": b"on: push\n"})
    with pytest.raises(NotAllowed) as caught:
        remote.push(checkout.git_dir, workflow, "ay/1", None)
    assert "workflow" in caught.value.hint


# ---------------------------------------------------------------------- the token


def test_at_21_the_token_is_in_no_file_and_no_argument(
    github: LoopbackGitHub, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every git that runs writes down its arguments; every file of the clone is read."""
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    recorded = tmp_path / "arguments"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {recorded}\nexec {real} "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    remote = remote_with(github, secret)
    clone = remote.clone_pinned(head_of(github), tmp_path / "clone")
    (tmp_path / "scratch").mkdir()
    with open_checkout(clone, tmp_path / "scratch") as checkout:
        remote.push(checkout.git_dir, commit(checkout, {"bank.py": b"x\n"}), "ay/1", None)
    basic = base64.b64encode(f"x-access-token:{secret}".encode())
    seen = recorded.read_bytes() + b"".join(every_file(tmp_path / "clone").values())
    seen += b"".join(every_file(tmp_path / "scratch").values())
    assert b"push" in seen
    assert b"fetch" in seen
    assert secret.encode() not in seen
    assert basic not in seen
    assert not re.search(rb"extraheader|Authorization", seen, re.IGNORECASE)


def test_at_21_only_git_has_the_token_while_it_runs(checkout: Checkout, secret: str, github: LoopbackGitHub) -> None:
    remote, seen = remote_with(github, secret), dict[str, list[str]]()
    basic = base64.b64encode(f"x-access-token:{secret}".encode())
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    # In this order, since a child has its parent's arguments until it is git.
                    held, arguments = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if basic in arguments or secret.encode() in arguments:
                    seen.setdefault("argument", []).append(arguments.decode())
                if arguments and (basic in held or secret.encode() in held):
                    seen.setdefault("environment", []).append(arguments.split(b"\0")[0].decode())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        remote.push(checkout.git_dir, commit(checkout, {"big.bin": os.urandom(2_000_000)}), "ay/1", None)
    finally:
        done.set()
        watcher.join()
    assert "argument" not in seen
    holders = {Path(name).name for name in seen["environment"]}
    assert "git" in holders
    assert {name for name in holders if not name.startswith("git")} == set()


def test_the_token_is_for_one_repository_of_one_server() -> None:
    url = "https://github.com/maria/bank.git"
    settings = environment_settings(git_environment(url, Token.of("secret"), {}))
    assert [name for name in settings if name.endswith(".extraHeader")] == [f"http.{url}.extraHeader"]
    assert settings["http.followRedirects"] == "false"
    assert settings["credential.helper"] == ""


def test_of_the_surroundings_git_gets_proxy_and_certificates_only() -> None:
    around = {
        "HTTPS_PROXY": "http://proxy:1",
        "no_proxy": "x",
        "SSL_CERT_FILE": "/ca",
        "GITHUB_TOKEN": "t",
        "PATH": "/x",
    }
    found = git_environment(
        "https://github.com/a/b", None, {**around, "GIT_SSH_COMMAND": "evil", "GIT_PROXY_COMMAND": "e"}
    )
    kept = {name: value for name, value in found.items() if not name.startswith("GIT_CONFIG")}
    assert kept == {
        "HTTPS_PROXY": "http://proxy:1", "no_proxy": "x", "SSL_CERT_FILE": "/ca", "GIT_ALLOW_PROTOCOL": "https",
    }  # fmt: skip


def environment_settings(environment: dict[str, str]) -> dict[str, str]:
    count = int(environment["GIT_CONFIG_COUNT"])
    return {environment[f"GIT_CONFIG_KEY_{n}"]: environment[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


def test_an_error_never_shows_the_token(
    github: LoopbackGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\ncase "$*" in *fetch*) env | grep Basic >&2; exit 1;; esac\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(GithubFailed) as caught:
        remote_with(github, "verysecret").clone_pinned("0" * 40, tmp_path / "clone")
    assert "Authorization: Basic ***" in str(caught.value)
    assert "verysecret" not in str(caught.value)
    assert base64.b64encode(b"x-access-token:verysecret").decode() not in str(caught.value)


# ---------------------------------------------------------------------- faults and TLS


@pytest.mark.parametrize("how", ["bad-gateway-after", "drop-after"])
def test_a_push_whose_answer_is_lost_is_looked_for(
    checkout: Checkout, remote: Remote, github: LoopbackGitHub, how: str
) -> None:
    first, second = (commit(checkout, {"bank.py": text}) for text in (b"x\n", b"y\n"))
    for made, expected in ((first, None), (second, first)):
        github.fail("POST", "git-receive-pack", how)
        remote.push(checkout.git_dir, made, "ay/1", expected)
        assert github.branch("ay/1") == made


def test_a_push_whose_answer_is_lost_may_have_been_done(
    checkout: Checkout, remote: Remote, github: LoopbackGitHub
) -> None:
    made = commit(checkout, {"bank.py": b"x\n"})
    github.fail("POST", "git-receive-pack", "bad-gateway-after")
    github.fail("GET", "info/refs", "bad-gateway-before", skip=1, times=9)
    with pytest.raises(AnswerLost, match="broke off"):
        remote.push(checkout.git_dir, made, "ay/1", None)
    assert github.branch("ay/1") == made


@pytest.mark.parametrize("how", ["bad-gateway-before", "server-error"])
def test_a_push_that_broke_off_before_may_have_been_done_too(
    checkout: Checkout, remote: Remote, github: LoopbackGitHub, how: str
) -> None:
    made = commit(checkout, {"bank.py": b"x\n"})
    github.fail("POST", "git-receive-pack", how)
    with pytest.raises(AnswerLost):
        remote.push(checkout.git_dir, made, "ay/1", None)
    assert github.branch("ay/1") is None


def test_the_same_push_twice_is_one(checkout: Checkout, remote: Remote, github: LoopbackGitHub) -> None:
    made = commit(checkout, {"bank.py": b"x\n"})
    for _ in range(2):
        remote.push(checkout.git_dir, made, "ay/1", None)
    assert github.branch("ay/1") == made


@pytest.mark.parametrize("how", ["bad-gateway-before", "drop-before"])
def test_a_fetch_that_breaks_off_is_tried_again(
    remote: Remote, github: LoopbackGitHub, tmp_path: Path, how: str
) -> None:
    github.fail("POST", "git-upload-pack", how)
    assert remote.clone_pinned(head_of(github), tmp_path / "clone").head == head_of(github)
    github.fail("POST", "git-upload-pack", how, times=9)
    with pytest.raises(GithubFailed, match="could not fetch"):
        remote.clone_pinned(head_of(github), tmp_path / "again")


@pytest.mark.parametrize("how", ["forbidden", "secondary-403"])
def test_a_refusal_is_not_tried_again(remote: Remote, github: LoopbackGitHub, tmp_path: Path, how: str) -> None:
    github.fail("GET", "info/refs", how, times=9)
    with pytest.raises(NotAllowed):
        remote.clone_pinned(head_of(github), tmp_path / "clone")
    assert len(github.git_requests) <= 2


def test_over_tls_with_a_certificate_of_the_surroundings(tmp_path: Path) -> None:
    with LoopbackGitHub(tmp_path / "github", names=["localhost"]) as server:
        server.add_repository("maria/bank", private=True)
        url = f"{server.url}/maria/bank.git"
        token = Token.of(server.add_actions_token())
        trusting = Remote(url, lambda: token, {"GIT_SSL_CAINFO": str(server.certificate)})
        clone = trusting.clone_pinned(head_of(server), tmp_path / "clone")
        trusting.push(clone.git_dir, clone.head, "ay/1", None)
        assert server.branch("ay/1") == clone.head
        with pytest.raises(GithubFailed, match="can't be reached"):
            Remote(url, lambda: token).clone_pinned(head_of(server), tmp_path / "untrusting")


class Elsewhere(BaseHTTPRequestHandler):
    """Sends everybody to another address."""

    target = ""
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(301)
        self.send_header("Location", self.target + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_at_48_a_redirect_is_not_followed(github: LoopbackGitHub, secret: str, tmp_path: Path) -> None:
    handler = type("To", (Elsewhere,), {"target": github.url, "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        moved = Remote(f"http://127.0.0.1:{server.server_address[1]}/maria/bank.git", lambda: Token.of(secret))
        with pytest.raises(GithubFailed):
            moved.clone_pinned(head_of(github), tmp_path / "clone")
        server.shutdown()
        thread.join()
    assert handler.seen
    assert github.git_requests == []


# ---------------------------------------------------------------------- hostile names


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch pwned", "ext::sh -c touch% pwned", "fd::17", "file:///etc", "ssh://h/x", "git@github.com:a/b",
        "-c core.fsmonitor=x", "http://example.com/a/b", "https://user:pw@github.com/a/b", "https://github.com/a?x", "",
        "/tmp/x", "https:///a/b", "http://[", "https://github.com/a\n/b",
    ],
)  # fmt: skip
def test_at_48_an_address_that_is_none_of_githubs(url: str) -> None:
    with pytest.raises(UsageError):
        Remote(url)


@pytest.mark.parametrize(
    "branch",
    [
        "x$(touch${IFS}/tmp/p)",
        "-oProxyCommand=x",
        "--upload-pack=x",
        "a;b",
        "a:b",
        "a..b",
        "+a",
        "a b",
        "HEAD",
        "",
        "a\nb",
        "refs/../x",
    ],
)
def test_at_11_a_branch_name_that_attacks(tmp_path: Path, branch: str) -> None:
    with pytest.raises(UsageError, match="branch"):
        Remote("https://github.com/a/b.git").push(tmp_path, "0" * 40, branch, None)


@pytest.mark.parametrize(
    "name", ["--upload-pack=x", "main", "HEAD", "0" * 39, "0" * 41, "A" * 40, "+" + "0" * 40, "", "0" * 40 + "\n"]
)
def test_at_48_a_commit_is_named_by_its_whole_id(tmp_path: Path, name: str) -> None:
    remote = Remote("https://github.com/a/b.git")
    with pytest.raises(UsageError, match="full id"):
        remote.clone_pinned(name, tmp_path / "x")
    with pytest.raises(UsageError, match="full id"):
        remote.fetch(tmp_path, [name])
    with pytest.raises(UsageError, match="full id"):
        remote.push(tmp_path, name, "ay/1", None)
    with pytest.raises(UsageError, match="full id"):
        remote.push(tmp_path, "0" * 40, "ay/1", name)


# ---------------------------------------------------------------------- complaints of git


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        (" ! [rejected] 1 -> x (stale info)", HeadMoved),
        (" ! [rejected] 1 -> x (fetch first)", HeadMoved),
        (" ! [remote rejected] 1 -> x (cannot lock ref 'refs/heads/x': reference already exists)", HeadMoved),
        ("remote: Permission to a/b.git denied to x.\nfatal: … The requested URL returned error: 403", NotAllowed),
        ("remote: error: GH013: Repository rule violations found for refs/heads/x.\n ! [remote rejected]", NotAllowed),
        ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", GithubFailed),
        ("remote: Repository not found.\nfatal: repository 'https://x/' not found", Missing),
        ("fatal: unable to access 'https://x/': Could not resolve host: github.com", GithubFailed),
        ("error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502", AnswerLost),
        ("fatal: the remote end hung up unexpectedly", AnswerLost),
        ("it was not done after 300 s", AnswerLost),
        ("", AnswerLost),
    ],
)
def test_what_a_failed_push_means(complaint: str, kind: type[GithubFailed]) -> None:
    assert type(push_failure("https://github.com/a/b.git", "x", complaint)) is kind


def test_what_a_server_says_is_shown_as_one_plain_line() -> None:
    failure = push_failure(
        "https://github.com/a/b.git", "x", "remote: \x1b[31mno\x07\nremote: ::error::x\u202e" + "y" * 5000
    )
    assert "\x1b" not in failure.message
    assert "\n" not in failure.message.replace("\n[... ", "").replace(" left out ...]\n", "")
    assert len(failure.message) < 1000
