"""Commits as the outline reads them: from objects, whatever the repository has in store; and the commands on top."""

import json
import os
import subprocess
import sys

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.outline_source import GitSource
from ay_bot.outline.counting import count_most


def git(path, *arguments, data=None):
    done = subprocess.run(["git", "-C", path, *arguments], input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path):
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    (path / "parser.py").write_text("def parse_header(line):\n    return line.split()\n")
    (path / "server.go").write_text("package main\n\nfunc Serve() {}\n")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Start\n\nWith two files")
    (path / "words.py").write_text("def split_words(text):\n    return text.split()\n")
    (path / "link.py").symlink_to("/etc/passwd")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Flaky clocks: wait")
    return path


def ay_bot(*arguments, data=b""):
    return subprocess.run(
        [sys.executable, "-m", "ay_bot", *map(str, arguments)], input=data, capture_output=True, check=False
    )


def test_regular_files_and_no_others(repository):
    source = GitSource(repository / ".git")
    assert [entry.path for entry in source.entries()] == ["parser.py", "server.go", "words.py"]


def test_contents_come_in_the_order_asked_for(repository):
    source = GitSource(repository / ".git")
    blobs = {entry.path: entry.blob for entry in source.entries()}
    wanted = [blobs["words.py"], blobs["parser.py"]]
    assert [blob for blob, _ in source.blobs(wanted, 10_000)] == wanted
    assert dict(source.blobs(wanted, 10_000))[blobs["words.py"]].startswith(b"def split_words")


def test_what_is_missing_or_large_has_no_contents(repository):
    source = GitSource(repository / ".git")
    blobs = ["0" * 40, *(entry.blob for entry in source.entries())]
    assert dict(source.blobs(blobs, 5)) == dict.fromkeys(blobs)


def test_the_past_ends_at_the_commit(repository):
    git(repository, "checkout", "-q", "-b", "side", "HEAD~1")
    (repository / "other.py").write_text("x = 1\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Side")
    git(repository, "merge", "-q", "-m", "Merge", "main")
    source = GitSource(repository / ".git", "main~1")
    assert [(commit.message.strip(), commit.paths) for commit in source.commits(source.past())] == [
        ("Start\n\nWith two files", ("parser.py", "server.go"))
    ]
    whole = GitSource(repository / ".git", "side")
    assert sorted(commit.message.strip() for commit in whole.commits(whole.past())) == [
        "Flaky clocks: wait", "Side", "Start\n\nWith two files",
    ]  # fmt: skip


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:parser.py", ""])
def test_what_is_no_commit_is_refused(repository, revision):
    with pytest.raises(UsageError):
        GitSource(repository / ".git", revision)


def test_settings_of_a_repository_run_nothing(repository, tmp_path):
    trap = tmp_path / "trap"
    for name in ("diff.external", "core.fsmonitor", "core.sshCommand", "gpg.program", "core.pager", "diff.x.textconv"):
        git(repository, "config", name, f"touch {trap}")
    git(repository, "config", "log.showSignature", "true")
    (repository / ".git" / "info" / "attributes").write_text("* diff=x filter=x\n")
    git(repository, "config", "filter.x.smudge", f"touch {trap}")
    source = GitSource(repository / ".git")
    entries = source.entries()
    assert len(list(source.blobs([entry.blob for entry in entries], 10_000))) == 3
    assert len(list(source.commits(source.past()))) == 2
    assert not trap.exists()


def test_strange_names_and_messages(repository):
    blob = git(repository, "hash-object", "-w", "--stdin", data=b"def odd(): pass\n")
    names = [b"a\nb.py", b"\xff\xfe.py", "\u202etxt.py".encode()]
    listing = b"".join(b"100644 blob " + blob.encode() + b"\t" + name + b"\0" for name in names)
    tree = git(repository, "mktree", "-z", data=listing)
    commit = git(repository, "commit-tree", tree, "-m", "odd \x01 signs\n\nb\x01c")
    source = GitSource(repository / ".git", commit)
    assert {entry.path.encode("utf-8", "surrogateescape") for entry in source.entries()} == set(names)
    (only,) = source.commits(source.past())
    assert {path.encode("utf-8", "surrogateescape") for path in only.paths} == set(names)
    done = ay_bot("context", "map", "--repo", repository, "--rev", commit, "--cache", repository / "cache")
    assert done.returncode == 0, done.stderr
    assert "\u202e" not in done.stdout.decode()


def test_the_commands(repository, tmp_path):
    common = ("--repo", repository, "--cache", tmp_path / "cache")
    query = tmp_path / "query.txt"
    query.write_text("headers are parsed wrongly")
    ranked = ay_bot("context", "rank", "--query-file", query, "--top", 2, "--json", *common)
    assert ranked.returncode == 0, ranked.stderr
    assert json.loads(ranked.stdout)["files"][0]["path"] == "parser.py"
    indexed = ay_bot("context", "index", "--tokens", *common)
    assert b"3 files, " in indexed.stdout
    assert b"read now: 0 files" in indexed.stdout
    lines = b'{"id": "a", "rev": "HEAD~1", "query": "split words"}\n{"id": "b", "query": "split words"}\n'
    answers = [
        json.loads(line) for line in ay_bot("context", "rank", "--batch", *common, data=lines).stdout.splitlines()
    ]
    assert [len(answer["files"]) for answer in answers] == [2, 3]
    assert answers[1]["files"][0]["path"] == "words.py"
    shown = [
        json.loads(line)
        for line in ay_bot("context", "map", "--tokens", 20, "--batch", *common, data=lines).stdout.splitlines()
    ]
    assert all(answer["tokens"] <= 20 and answer["map"] for answer in shown)
    assert ay_bot("context", "rank", *common).returncode == 2
    assert ay_bot("context", "rank", "--query-file", tmp_path / "none", *common).returncode == 2
    assert ay_bot("context", "map", "--rev", "nowhere", *common).returncode == 2
    assert ay_bot("context", "map", "--repo", repository, "--cache", query).returncode == 2


@pytest.mark.parametrize("revision", ["a\0b", "\ud800", "--help", "", "nowhere", "HEAD^{tree}"])
def test_a_revision_that_is_none_stops_no_batch(repository, tmp_path, revision):
    with pytest.raises(UsageError):
        GitSource(repository / ".git", revision)
    lines = json.dumps({"id": "bad", "rev": revision, "query": "x"}) + '\n{"id": "good", "query": "x"}\n'
    done = ay_bot(
        "context", "rank", "--batch", "--repo", repository, "--cache", tmp_path / "cache", data=lines.encode()
    )
    bad, good = map(json.loads, done.stdout.splitlines())
    assert (bad["id"], "error" in bad) == ("bad", True)
    assert (good["id"], len(good["files"])) == ("good", 3)


def test_a_repository_without_a_commit_says_how_to_make_one(tmp_path):
    git(tmp_path, "init", "-q")
    done = ay_bot("context", "map", "--repo", tmp_path, "--cache", tmp_path / "cache")
    assert done.returncode == 2
    assert b"git commit" in done.stderr


def test_a_cache_that_can_t_be_written_is_no_bug(repository, tmp_path):
    command = f"ulimit -f 1; exec {sys.executable} -m ay_bot context map --repo {repository} --cache {tmp_path}/cache"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 2, done.stderr
    assert b"the cache can't be kept in" in done.stderr
    assert b"--cache" in done.stderr


def test_progress_is_for_terminals_and_for_the_log_of_who_asked_for_nothing_else(repository, tmp_path):
    def on_a_terminal(*arguments):
        main, side = os.openpty()
        command = [sys.executable, "-m", "ay_bot", "context", *map(str, arguments), "--repo", str(repository)]
        with subprocess.Popen(command, stderr=side, stdout=subprocess.DEVNULL) as process:
            os.close(side)
            assert process.wait(60) == 0
        try:
            return os.read(main, 10_000)
        finally:
            os.close(main)

    told = b"ay-bot: 3 of 3 files"
    assert on_a_terminal("map", "--cache", tmp_path / "one") == b"\r" + told + b"\r" + b" " * len(told) + b"\r"
    assert not ay_bot("context", "map", "--repo", repository, "--cache", tmp_path / "two").stderr
    indexed = ay_bot("context", "index", "--repo", repository, "--cache", tmp_path / "three")
    assert indexed.stderr == b"ay-bot: 3 of 3 files\n"


def test_a_map_has_any_number_of_tokens_from_none_on(repository, tmp_path):
    common = ("--repo", repository, "--cache", tmp_path / "cache")
    for tokens in (0, 1, 5):
        done = ay_bot("context", "map", "--tokens", tokens, *common)
        assert done.returncode == 0, done.stderr
        assert count_most()(done.stdout.decode()) <= tokens
    assert ay_bot("context", "map", "--tokens", -1, *common).returncode == 2


def test_what_an_agent_would_begin_with(repository, tmp_path):
    (repository / "AGENTS.md").write_text("Use tabs.\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "instructions")
    common = ("--repo", repository, "--cache", tmp_path / "cache", "--tokens", 4_000)
    query = tmp_path / "query.txt"
    query.write_text("headers are parsed wrongly")
    done = ay_bot("context", "build", "--query-file", query, "--json", *common)
    assert done.returncode == 0, done.stderr
    built = json.loads(done.stdout)
    layers = {layer["layer"]: layer for layer in built["layers"]}
    assert list(layers) == ["standing", "instructions", "task", "map", "files"]
    assert all(layer["tokens"] <= layer["limit"] for layer in layers.values())
    assert built["tokens"] == sum(layer["tokens"] for layer in layers.values()) <= 4_000
    assert layers["files"]["files"][0]["path"] == "parser.py"
    assert layers["instructions"]["tokens"] > 0
    assert ay_bot("context", "build", "--query-file", query, "--json", *common).stdout == done.stdout
    shown = ay_bot("context", "build", "--query-file", query, "--text", *common).stdout.decode()
    assert "def parse_header" in shown
    assert "Use tabs." in shown
    table = ay_bot("context", "build", "--query-file", query, "--load", "words.py", *common).stdout.decode()
    assert "words.py (" in table
    assert "parser.py (" not in table
    lines = b'{"id": "a", "rev": "HEAD~1", "query": "split words"}\n{"id": "b", "rev": "nowhere"}\n'
    answers = [
        json.loads(line) for line in ay_bot("context", "build", "--batch", *common, data=lines).stdout.splitlines()
    ]
    assert answers[0]["id"] == "a"
    assert answers[0]["layers"][1]["tokens"] == 0, "there were no instructions then"
    assert "no commit `nowhere`" in answers[1]["error"]
    assert ay_bot("context", "build", "--repo", repository, "--tokens", 100).returncode == 2


def test_what_an_agent_would_begin_with_is_what_the_settings_of_the_commit_make_of_it(repository, tmp_path):
    (repository / ".github").mkdir()
    (repository / ".github" / "ay-bot.yml").write_text(
        "files: [{paths: [secret/], read: deny}]\ninstruction_files: [RULES.md]\nload: [secret/, '*.go']\ntest: make check\n"
    )
    for name in ("RULES.md", "sub/AGENTS.md", "secret/vault.py"):
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(f"def vault_of_{len(name)}(): pass\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "settings")
    common = ("--repo", repository, "--cache", tmp_path / "cache")
    ay_bot("context", "index", *common)  # what is known of all files must not bring back the one that is hidden
    shown = ay_bot("context", "build", "--text", *common).stdout.decode()
    for words in ("vault_of_8", "sub/AGENTS.md", "run_tests runs: make check", "server.go\n```\npackage main"):
        assert words in shown
    assert "parser.py\n```" not in shown
    for load in ((), ("--load", "."), ("--load", "secret/vault.py")):
        assert "vault_of_15" not in ay_bot("context", "build", "--text", *load, *common).stdout.decode()
