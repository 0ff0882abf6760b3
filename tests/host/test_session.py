"""The host's side of an agent box: what it sends, and when it lets other work begin."""

from types import SimpleNamespace

from pydantic import TypeAdapter

from ay_bot.host.event_log import EventLog
from ay_bot.host.session import Session, send_seed
from ay_bot.protocol.channel import Channel
from ay_bot.protocol.messages import BoxToHost, Finished, ModelReply, ModelRequest, Seeded, Work


class Far:
    """The far end of a pipe: says what it was given to say, and keeps what it is sent."""

    def __init__(self, *says) -> None:
        self.says = b"".join(message.model_dump_json().encode() + b"\n" for message in says)
        self.kept = []

    def read(self, size):
        said, self.says = self.says[:size], self.says[size:]
        return said

    def write(self, data):
        self.kept.append(memoryview(data))


def box_of(far):
    return SimpleNamespace(name="box", channel=Channel(far, TypeAdapter(BoxToHost)))


def test_a_writer_that_still_holds_the_seed_when_the_box_answers_is_no_trouble(tmp_path):
    archive = tmp_path / "base.tar"
    archive.write_bytes(b"x" * 10_000)
    far = Far(Seeded(files=1))
    send_seed(box_of(far), archive, "")
    assert bytes(far.kept[-1]) == b"x" * 10_000


def test_other_work_begins_once_and_before_the_first_answer():
    order = []

    class Model:
        def ask(self, request, on_progress):
            order.append("asked")
            return ModelReply(request_id=request.request_id)

    far = Far(
        ModelRequest(request_id=1, messages=()), ModelRequest(request_id=2, messages=()), Finished(reason="steps")
    )
    session = Session(box_of(far), Model(), EventLog("run"), (lambda: order.append("began"),))
    session.work(Work(task="x"))
    assert order == ["began", "asked", "asked"]
