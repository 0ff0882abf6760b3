"""A box with an agent: beside the chores it works on a task, relays model requests, and gives its tree at the end."""

import tempfile
from pathlib import Path
from typing import assert_never

from pydantic import TypeAdapter

from ay_bot.agent.chores import Chores
from ay_bot.agent.ending import Ending
from ay_bot.agent.loop import SCRATCH, Agent
from ay_bot.agent.switchboard import Switchboard
from ay_bot.agent.workspace import Changes, Manifest
from ay_bot.errors import ProtocolBroken
from ay_bot.protocol.channel import Body, Channel
from ay_bot.protocol.messages import (
    Feedback,
    Finished,
    HostToBox,
    ModelFailure,
    ModelReply,
    Work,
)
from ay_bot.protocol.plain_messages import Check, Exit, Keep, Seed


def build_reader() -> TypeAdapter[HostToBox]:
    """Return what reads all that the host may say to a box."""
    return TypeAdapter(HostToBox)


class Worker:
    """One box's conversation with the host, after its hello."""

    def __init__(self, root: Path, channel: Channel[HostToBox]) -> None:
        self._root = root
        self._channel = channel
        self._digests: dict[bytes, bytes] = {}
        self._chores = Chores(root, channel.send, self._digests)
        self._manifest: Manifest | None = None
        self._agent: Agent | None = None
        self._answers = False
        self._board = Switchboard(channel)

    def serve(self) -> None:
        """Do what the host says until it says no more."""
        while True:
            message, body = self._channel.receive_streaming()
            match message:
                case Seed():
                    self._seed(message, body)
                case Work():
                    self._work(message)
                case Feedback():
                    self._resume(message)
                case Check():
                    self._chores.check(message)
                case Exit():
                    return
                case Keep():
                    msg = "a box with an agent keeps nothing"
                    raise ProtocolBroken(msg)
                case ModelReply() | ModelFailure():
                    msg = f"an answer to request {message.request_id}, which nobody waits for"
                    raise ProtocolBroken(msg)
                case _:
                    assert_never(message)

    def _seed(self, seed: Seed, body: Body) -> None:
        files = self._chores.unpack(body)
        if seed.setup or self._chores.keeps():
            self._manifest = Manifest.take(self._root, (), self._digests)
            self._manifest.kept = self._chores.overlay()
        self._chores.set_up(seed, files)
        if self._manifest:
            self._manifest.settle()

    def _work(self, work: Work) -> None:
        if self._agent:
            msg = "a second task for the same box"
            raise ProtocolBroken(msg)
        self._answers = work.mode == "answer"
        if not self._answers and (self._manifest is None or work.ignore):
            taken = Manifest.take(self._root, work.ignore, self._digests)
            if self._manifest:  # the files are as the set-up left them, but the rules came only now
                self._manifest.ignore = taken.ignore
            else:
                self._manifest = taken
        scratch = Path(tempfile.gettempdir()) / SCRATCH.name  # of the box, whatever that is
        self._agent = Agent(work, self._root, self._board.ask, self._board.tell, scratch=scratch)
        self._finish(self._agent.run())

    def _resume(self, feedback: Feedback) -> None:
        if not self._agent:
            msg = "feedback before any task"
            raise ProtocolBroken(msg)
        self._finish(self._agent.resume(feedback))

    def _finish(self, ending: Ending) -> None:
        self._board.tell_all()
        changes = self._changes()
        finished = Finished(
            reason=ending.reason,
            summary=ending.summary,
            steps=ending.steps,
            failure=ending.failure,
            changed=changes.changed,
            deleted=changes.deleted,
            unrepresentable=changes.unrepresentable,
            outputs=ending.outputs,
            review=ending.review,
            body_size=len(changes.body),
        )
        self._channel.send(finished, changes.body)

    def _changes(self) -> Changes:
        """What the agent changed; nothing where it was asked for an answer, whatever its commands wrote."""
        if self._answers:
            return Changes()
        if not self._manifest:
            msg = "an ending before any task"
            raise ProtocolBroken(msg)
        return self._manifest.changes()
