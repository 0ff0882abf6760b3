"""The host's side of an agent box: what it sends, and when it lets other work begin."""

import json
import threading
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter

from ay_bot.errors import ModelFailed
from ay_bot.host.event_log import EventLog
from ay_bot.host.session import Session, send_seed
from ay_bot.protocol.channel import Channel, line_of
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.events import StepStarted
from ay_bot.protocol.messages import BoxToHost, Finished, Happened, ModelReply, ModelRequest, Seeded, Work


class Far:
    """The far end of a pipe: says what it was given to say, and keeps what it is sent."""

    def __init__(self, *says) -> None:
        self.says = b"".join(map(line_of, says))
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


class Model:
    """Answers at once, and is slow at the requests that it is told to be slow at."""

    def __init__(self, order, *slow):
        self.order = order
        self.slow = slow

    def ask(self, request, on_progress, *, when_sent, when_slow):
        self.order.append("request passed on")
        when_sent()
        if request.request_id in self.slow:
            when_slow()
        return ModelReply(request_id=request.request_id)


@pytest.mark.parametrize(
    ("slow", "expected"),
    [
        ((1, 2), ["request passed on", "began", "request passed on"]),
        ((2,), ["request passed on", "request passed on", "began"]),
        ((), ["request passed on", "request passed on", "began"]),
    ],
)
def test_other_work_begins_once_when_the_model_thinks_or_else_at_the_end(slow, expected):
    order = []
    far = Far(
        ModelRequest(request_id=1, messages=()), ModelRequest(request_id=2, messages=()), Finished(reason="steps")
    )
    session = Session(box_of(far), Model(order, *slow), EventLog("run"), (lambda: order.append("began"),))
    session.work(Work(task="x"))
    assert order == expected


@pytest.mark.parametrize(("cost", "said"), [(None, 1), (0.01, 0)])
def test_where_nobody_knows_the_price_people_are_told_once_which_cap_holds(cost, said):
    class Priced(Model):
        def ask(self, request, on_progress, **more):
            reply = super().ask(request, on_progress, **more)
            usage = Usage(requests=1, prompt_tokens=10, completion_tokens=1, cost_usd=cost)
            return reply.model_copy(update={"usage": usage})

    notices = []
    log = EventLog("run", (lambda record: notices.append(getattr(record.event, "text", "")),))
    asked = [ModelRequest(request_id=n, messages=()) for n in (1, 2)]
    Session(box_of(Far(*asked, Finished(reason="steps"))), Priced([]), log, ()).work(Work(task="x"))
    assert sum("`--max-cost` can't hold, `--max-tokens` does" in text for text in notices) == said


def test_messages_are_passed_on_first_and_logged_in_their_order_afterwards():
    order = []

    class Watched(Far):
        def write(self, data):
            order.append("message to the box")
            super().write(data)

    far = Watched(
        Happened(event=StepStarted(step=1, estimated_tokens=5)), ModelRequest(request_id=1, messages=()),
        Finished(reason="steps"),
    )  # fmt: skip
    log = EventLog("run", (lambda record: order.append(record.event.type),))
    Session(box_of(far), Model(order), log).work(Work(task="x"))
    assert order == [
        "message to the box",  # the work
        "request passed on",
        "step_started",
        "model_asked",
        "message to the box",  # the reply
        "model_answered",
    ]


def test_agents_that_work_for_another_are_answered_at_once_and_a_failure_is_theirs_alone():
    together = threading.Barrier(3, timeout=20)

    class AtOnce:
        def ask(self, request, on_progress, *, when_sent, when_slow):
            when_sent()
            if request.agent:
                together.wait()
            if request.agent == 2:
                raise ModelFailed("it is gone")
            return ModelReply(request_id=request.request_id, content=f"to {request.agent}", usage=Usage(requests=1))

    class Talking(Far):
        def write(self, data):
            super().write(data)
            if len(self.kept) == 4:
                self.answered.set()

        def read(self, size):
            if not self.says.startswith(b'{"kind":"model_request"') and len(self.kept) < 4:
                self.answered.wait(20)
            return super().read(size)

        answered = threading.Event()

    far = Talking(*(ModelRequest(request_id=n, agent=n, messages=()) for n in (1, 2, 3)), Finished(reason="steps"))
    session = Session(box_of(far), AtOnce(), EventLog("run"))
    session.work(Work(task="x"))
    far.answered.wait(20)
    replies = {reply["request_id"]: reply for reply in map(json.loads, map(bytes, far.kept[1:]))}
    assert {number: reply["kind"] for number, reply in replies.items()} == {
        1: "model_reply",
        2: "model_failure",
        3: "model_reply",
    }
    assert replies[2]["message"] == "it is gone"
    assert session.usage.requests == 2
