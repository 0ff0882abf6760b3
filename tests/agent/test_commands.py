"""Commands as the agent runs them; what only the first process of a box can do is tested in tests/host/sandbox."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.agent.commands import CommandResult, Output, run_command


def run(command: str, place: Path, *, timeout: float = 20, head: int = 1000, tail: int = 1000, **more) -> CommandResult:
    return run_command(command, cwd=place, timeout=timeout, head=head, tail=tail, **more)


def test_it_runs_in_its_directory_with_added_variables(tmp_path: Path) -> None:
    result = run("pwd; echo $ADDED $HOME", tmp_path, environment={"ADDED": "yes"})
    assert result.output.startswith(f"{tmp_path}\nyes /")
    assert (result.exit_code, result.timed_out, result.total_bytes) == (0, False, len(result.output))


@pytest.mark.parametrize(("command", "code"), [("true", 0), ("exit 7", 7), ("kill -9 $$", 137), ("no-such-thing", 127)])
def test_exit_codes_are_those_of_shells(tmp_path: Path, command: str, code: int) -> None:
    assert run(command, tmp_path).exit_code == code


def test_there_is_no_input(tmp_path: Path) -> None:
    assert run("cat; echo end", tmp_path).output == "end\n"


def test_it_has_a_session_of_its_own(tmp_path: Path) -> None:
    assert run("test $(ps -o sid= -p $$) = $$ && echo own", tmp_path).output == "own\n"


def test_the_log_has_the_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    result = run("seq 1 5000", tmp_path, head=20, tail=20, log=log)
    whole = "".join(f"{n}\n" for n in range(1, 5001))
    assert log.read_text() == whole
    assert result.log == log
    assert result.total_bytes == len(whole)
    assert result.output == f"{whole[:20]}\n[... {len(whole) - 40} bytes left out ...]\n{whole[-20:]}"


def test_a_log_that_can_not_be_written_to_its_end_costs_nothing_else(tmp_path: Path) -> None:
    assert run("echo fine", tmp_path, log=Path("/dev/full")).output == "fine\n"


def test_the_time_limit_ends_children_too(tmp_path: Path) -> None:
    start = time.monotonic()
    result = run("echo a; (sleep 30; touch survived) & sleep 30", tmp_path, timeout=0.3)
    assert (result.timed_out, result.exit_code, result.output) == (True, 124, "a\n")
    assert time.monotonic() - start < 5


def test_a_command_that_closes_its_output_is_still_waited_for(tmp_path: Path) -> None:
    assert run("exec >&- 2>&-; sleep 0.2; touch done", tmp_path).exit_code == 0
    assert (tmp_path / "done").exists()


def test_no_open_file_reaches_the_command(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w"):
        assert "/open" not in run("ls -l /proc/self/fd", tmp_path).output


def test_a_directory_that_is_gone_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run("true", tmp_path / "gone")


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(0, 40), st.integers(1, 40))
def test_the_head_and_the_tail_are_of_the_stream(parts: list[bytes], head: int, tail: int) -> None:
    output = Output(head, tail, None)
    for part in parts:
        output.add(part)
    whole = b"".join(parts)
    assert output.total == len(whole)
    if len(whole) <= head + tail:
        assert output.text() == whole.decode("utf-8", "replace")
    else:
        assert output.text().startswith(whole[:head].decode("utf-8", "replace"))
        assert output.text().endswith(whole[-tail:].decode("utf-8", "replace"))
        assert f"{len(whole) - head - tail} bytes left out" in output.text()
