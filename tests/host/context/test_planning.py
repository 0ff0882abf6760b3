"""The plan of a context, made by a process of its own over a real repository."""

import os
import subprocess
import time

import pytest

from ay_bot.errors import AyBotError, Interrupted
from ay_bot.host.context import Place, Plan, Wish
from ay_bot.host.context import planning as planning_module
from ay_bot.host.context.process import Planner, planning
from ay_bot.outline.counting import best_counter, estimate

PATHS = {"PATH": os.environ["PATH"]}


def git(path, *arguments):
    return subprocess.run(["git", "-C", path, *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "repository"
    (path / "src").mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    (path / "src" / "parser.py").write_text("def parse_header(line):\n    return line.split()\n")
    (path / "src" / "secret.py").write_text("def parse_header_of_the_vault(line):\n    pass\n")
    for number in range(30):
        (path / "src" / f"other{number}.py").write_text(f"def other_{number}(a, b):\n    return a + b\n" * 20)
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "start")
    return Place(
        git_dir=path / ".git",
        commit=git(path, "rev-parse", "HEAD"),
        tree=git(path, "rev-parse", "HEAD^{tree}"),
        cache=tmp_path / "cache",
        name="here",
    )


def make(place, wish, seconds=60.0, check=lambda: None):
    with planning(place, PATHS, seconds) as planner:
        return planner.plan(wish, check)


def test_a_map_and_files_within_their_budgets(place):
    wish = Wish(
        task="headers are parsed wrongly", map_tokens=300, load=("src/",), file_tokens=500, encodings=("o200k_base",)
    )
    plan = make(place, wish)
    assert plan.load[0] == "src/parser.py"
    assert 0 < sum(plan.sizes) <= 500
    assert 0 < best_counter()(plan.map) <= 300
    assert "src/parser.py" not in plan.map, "what is loaded whole need not be in the map"
    assert make(place, wish) == plan


def test_the_tokens_of_a_byte_are_those_of_the_models_own_encoding(place):
    wish = Wish(task="headers", map_tokens=4_000)
    assert make(place, wish).tokens_per_byte == 0
    known = make(place, wish.model_copy(update={"encodings": ("o200k_base",)}))
    count, text = best_counter(), known.map.encode()
    assert known.layer_rates == {"task": count("headers") / 7, "map": count(known.map) / len(text)}
    assert known.tokens_per_byte == count(known.map) / len(text), "a task says nothing of the repository"


def test_where_no_vocabulary_is_installed_nothing_is_called_counted(monkeypatch):
    monkeypatch.setattr(planning_module, "best_counter", lambda _: estimate)
    wish = Wish(task="headers", encodings=("o200k_base",))
    assert planning_module.rate(Plan(map="m" * 9_000), wish) == Plan(map="m" * 9_000)


def test_what_needs_no_map_is_counted_without_reading_anything(place, tmp_path):
    unread = place.model_copy(update={"outlined": False, "encodings": ("cl100k_base",), "cache": tmp_path / "none"})
    task = "\u4f60\u597d 0123456789abcdef " * 300
    plan = make(unread, Wish(task=task, instructions="tabs", map_tokens=900, encodings=("cl100k_base",)))
    count = best_counter("cl100k_base")
    assert plan.layer_rates == {"task": count(task) / len(task.encode()), "instructions": count("tabs") / 4}
    assert (plan.map, plan.load) == ("", ())
    assert not (tmp_path / "none").exists()


def test_a_name_that_is_no_text_costs_a_repository_neither_map_nor_files(place):
    blob = git(place.git_dir.parent, "hash-object", "-w", "src/parser.py")
    entries = [b"100644 blob " + blob.encode() + b"\t" + name + b"\0" for name in (b"\xff.py", b"good.py")]
    made = ["git", f"--git-dir={place.git_dir}", "mktree", "-z"]
    tree = subprocess.run(made, input=b"".join(entries), capture_output=True, check=True).stdout.decode().strip()
    odd = place.model_copy(update={"tree": tree})
    for pattern in (".", "*.py"):
        plan = make(odd, Wish(task="headers", map_tokens=300, load=(pattern,), file_tokens=500))
        assert plan.load == ("good.py",)
        assert "\ufffd.py" in plan.map


def test_what_the_agent_may_not_see_is_in_no_map(place):
    git(place.git_dir.parent, "rm", "-q", "--cached", "src/secret.py")
    seen = place.model_copy(update={"tree": git(place.git_dir.parent, "write-tree")})
    wish = Wish(task="parse_header_of_the_vault in src/secret.py", map_tokens=2_000)
    assert "vault" in make(place, wish).map
    assert "vault" not in make(seen, wish).map
    loading = wish.model_copy(update={"load": ("src/secret.py",), "file_tokens": 500})
    assert make(place, loading).load == ("src/secret.py",)
    assert make(seen, loading).load == ()


def test_files_that_the_task_names_make_the_map_short(place):
    wish = Wish(task="look around", map_tokens=4_000, encodings=("o200k_base",))
    named = wish.model_copy(update={"task": "mend src/parser.py"})
    count = best_counter()
    assert count(make(place, wish).map) > 1_024
    assert count(make(place, named).map) <= 1_024


def test_a_repository_that_takes_too_long_is_given_up(place):
    with pytest.raises(AyBotError, match="took too long"):
        make(place, Wish(task="x", map_tokens=100), seconds=0.0)


def test_a_stopped_run_waits_no_longer(place):
    def stopped():
        raise Interrupted("the run was stopped")

    started = time.monotonic()
    with pytest.raises(Interrupted):
        make(place, Wish(task="x", map_tokens=100), check=stopped)
    assert time.monotonic() - started < 5


def test_a_broken_commit_is_told_of(place):
    with pytest.raises(AyBotError, match="no commit"):
        make(place.model_copy(update={"commit": "0" * 40}), Wish(task="x", map_tokens=10))


def test_the_process_ends_with_who_started_it(place):
    planner = Planner.start(place, PATHS, 60.0)
    number = planner._process.pid
    planner.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
