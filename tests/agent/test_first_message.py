import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.first_message import LoadedFile, lay_out, read_files
from ay_bot.agent.loop import Agent
from ay_bot.agent.shortening import cut
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.layers import SHARES, limit_of
from ay_bot.protocol.messages import Work
from ay_bot.protocol.outputs import MOST_OF_EACH
from tests.agent.scripting import ScriptedModel, calls


def count(text):
    return len(text.encode()) // 4


def test_sections_come_in_order_and_empty_ones_are_left_out():
    work = Work(task="mend it", instructions="use tabs", test_command="make test", map="a.py:\n    1│def f():")
    laid = lay_out(work, [LoadedFile("a.py", "def f(): pass\n")], count)
    assert [section.layer for section in laid] == ["task", "instructions", "map", "files"]
    assert [section.layer for section in lay_out(Work(task="mend it"), [], count)] == ["task"]


@given(
    st.integers(0, 30_000), st.integers(0, 30_000), st.integers(0, 30_000), st.lists(st.integers(0, 9_000), max_size=8),
    st.integers(4_000, 100_000),
)  # fmt: skip
def test_no_layer_is_ever_longer_than_its_share(task, instructions, outline, files, tokens):
    work = Work(task="t" * task, instructions="i" * instructions, map="m" * outline, max_context_tokens=tokens)
    laid = lay_out(work, [LoadedFile(f"{n}.txt", "x" * size) for n, size in enumerate(files)], count)
    for section in laid:
        assert count(section.text) <= limit_of(section.layer, tokens)
    assert sum(SHARES.values()) < 1


def test_what_the_instructions_come_with_is_within_their_share():
    deeper = tuple(f"{'d' * 3_000}/{n}/AGENTS.md" for n in range(20))
    work = Work(
        task="t", instructions="i" * 40_000, deeper_instructions=deeper, test_command="c" * 9_000,
        max_context_tokens=40_000,
    )  # fmt: skip
    (_, section) = lay_out(work, [], count)
    assert count(section.text) <= limit_of("instructions", 40_000)
    assert "0/AGENTS.md" in section.text
    assert "run_tests runs: ccc" in section.text


def test_only_a_task_that_was_cut_lies_where_that_is_said():
    work = Work(task="short", instructions="i" * 40_000, map="m" * 40_000, max_context_tokens=20_000)
    texts = {section.layer: section.text for section in lay_out(work, [], count, "/scratch/task.txt")}
    assert not any("/scratch/task.txt" in text for text in texts.values())
    assert "all of it is in AGENTS.md" in texts["instructions"]
    (task, *_) = lay_out(work.model_copy(update={"task": "t" * 40_000}), [], count, "/scratch/task.txt")
    assert "/scratch/task.txt" in task.text


def test_what_the_host_has_counted_goes_before_an_estimate():
    work = Work(task="t" * 8_000, layer_rates={"task": 1.0}, max_context_tokens=20_000)
    (task,) = lay_out(work, [], count)
    assert len(task.text) <= task.tokens <= limit_of("task", 20_000)
    (task,) = lay_out(work.model_copy(update={"layer_rates": {"task": 0.1}}), [], count)
    assert "t" * 8_000 in task.text


def test_what_is_cut_says_so_and_where_the_whole_is():
    shown = cut("word " * 5_000, 1_000, count, "/tmp/task.txt")
    assert shown.startswith("word word")
    assert "of 25,000 characters; all of it is in /tmp/task.txt …]" in shown
    assert 900 <= count(shown) <= 1_000
    assert cut("short", 1_000, count) == "short"


def test_a_file_is_counted_once_and_not_where_somebody_has_counted_it():
    counted = []

    def tell(text):
        counted.append(text)
        return count(text)

    files = [LoadedFile("a.txt", "a" * 400), LoadedFile("b.txt", "b" * 400, tokens=77)]
    (*_, section) = lay_out(Work(task="t"), files, tell)
    assert sum("a" * 400 in text for text in counted) == 1
    assert not any("b" * 400 in text for text in counted)
    assert section.files == (("a.txt", counted and count(counted[-1])), ("b.txt", 77))
    assert count(section.text) <= section.tokens


def test_files_are_given_whole_or_not_at_all():
    files = [LoadedFile("a.txt", "a" * 4_000), LoadedFile("b.txt", "b" * 40_000), LoadedFile("c.txt", "c" * 40)]
    (_, section) = lay_out(Work(task="t", max_context_tokens=8_000), files, count)
    assert "a" * 4_000 in section.text
    assert "b.txt" not in section.text  # nor what stands behind it: the host has chosen them in this order


@pytest.fixture
def bench(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.txt").write_text("a\n")
    (tmp_path / "work" / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "secret").write_text("s")
    (tmp_path / "work" / "link").symlink_to(tmp_path / "secret")
    return Workbench(root=tmp_path / "work", scratch=tmp_path / "work", run=None)


def test_only_text_inside_of_the_workspace_is_loaded(bench):
    paths = ["a.txt", "binary", "link", "../secret", "missing", ".", "nul\0"]
    assert read_files(paths, bench) == [LoadedFile("a.txt", "a\n")]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"delegation": True, "outputs": tuple(MOST_OF_EACH), "has_stronger": True},
        {"architect": True, "delegation": True, "outputs": tuple(MOST_OF_EACH)},
        {"mode": "answer", "outputs": tuple(MOST_OF_EACH)},
    ],
)
def test_what_can_t_be_cut_is_within_its_share_in_the_smallest_window(tmp_path, native, more):
    for form in ("auto", "apply_patch", "search_replace", "udiff", "whole"):
        model = ScriptedModel(calls(("finish", {"summary": "x"})))
        work = Work(task="t", native_tools=native, edit_format=form, max_context_tokens=4_000, **more)
        Agent(work, tmp_path, model, [].append, scratch=tmp_path / "scratch").run()
        assert 0 < model.requests[0].layers["standing"] <= limit_of("standing", 4_000)
