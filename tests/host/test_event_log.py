"""The event log: one order for all threads, and a file that can be read back."""

from concurrent.futures import ThreadPoolExecutor

from pydantic import TypeAdapter

from ay_bot.host.event_log import EventLog
from ay_bot.protocol.events import AssistantSaid, Noticed, PhaseFinished, PhaseStarted, Record


def test_every_line_is_a_record_in_order_whoever_wrote_it(tmp_path):
    heard = []
    log = EventLog("run1", (heard.append,))
    log.write_to(tmp_path / "events.jsonl")
    with ThreadPoolExecutor(4) as pool:
        for number in range(50):
            pool.submit(log.notice, f"host {number}")
            pool.submit(log.emit_from_agent, AssistantSaid(text=f"agent {number}\n\u202e"))
    log.close()
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    records = [TypeAdapter(Record).validate_json(line) for line in lines]
    assert [record.seq for record in records] == list(range(1, 101))
    assert records == heard
    assert {record.source for record in records if isinstance(record.event, Noticed)} == {"host"}
    assert {record.source for record in records if isinstance(record.event, AssistantSaid)} == {"agent"}


def test_the_file_is_complete_after_every_event(tmp_path):
    log = EventLog("run1")
    log.write_to(tmp_path / "events.jsonl")
    log.notice("first")
    assert (tmp_path / "events.jsonl").read_text().count("\n") == 1
    log.close()


def test_phases_that_come_again_add_up():
    heard = []
    log = EventLog("run1", (heard.append,))
    with log.phase("session", "first"):
        pass
    once = log.timings["session"]
    with log.phase("session", "again"):
        pass
    assert log.timings["session"] >= once
    kinds = [type(record.event) for record in heard]
    assert kinds == [PhaseStarted, PhaseFinished] * 2


def test_a_phase_that_fails_is_finished_all_the_same():
    heard = []
    log = EventLog("run1", (heard.append,))
    try:
        with log.phase("checks"):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert isinstance(heard[-1].event, PhaseFinished)
