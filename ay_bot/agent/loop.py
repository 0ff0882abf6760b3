"""The agent's loop: ask the model, do what it calls for, show it what came of it, until one of a closed set of ends."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from ay_bot.agent import prompt
from ay_bot.agent.calling import Calling, Done
from ay_bot.agent.condensing import Condenser
from ay_bot.agent.context import Conversation
from ay_bot.agent.dialect import EDITING, Dialect
from ay_bot.agent.ending import Ending
from ay_bot.agent.first_message import Section, lay_out, read_files
from ay_bot.agent.jobs import JOBS
from ay_bot.agent.model import Ask, Model
from ay_bot.agent.repository import BackgroundRepository
from ay_bot.agent.shortening import cut
from ay_bot.agent.stuck import StuckDetector, digest_files
from ay_bot.agent.tools.registry import choose_tools
from ay_bot.agent.tools.result import ToolResult
from ay_bot.agent.tools.tool import Offered, Tool
from ay_bot.agent.tools.workbench import READ_LIMIT, Run, Workbench
from ay_bot.protocol.conversation import AssistantMessage, SystemMessage, ToolMessage, UserMessage
from ay_bot.protocol.events import AgentEvent, AssistantSaid, ModelErred, StepStarted
from ay_bot.protocol.layers import room_in
from ay_bot.protocol.messages import EndReason, Feedback, ModelFailure, ModelReply, Work

if TYPE_CHECKING:
    from ay_bot.agent.delegating import Child, Delegate
    from ay_bot.agent.editing import ImplementArguments
    from ay_bot.agent.reviewing import Reviewer
    from ay_bot.agent.tools.propose import Propose

SCRATCH = Path("/tmp/ay-bot-output")  # noqa: S108 - the box's own, and only its logs
SMALL = 16_000  # tokens
FEEDBACK = 0.15  # of the ceiling, at most: as much as the task
STEERING = (0.80, 0.90, 0.95, 0.99)
UNPROVEN_ROUNDS = 2  # after which the stronger model answers to the end


class Agent:
    """One session: a conversation, its tools, and the limits on both. A `child` works for another agent."""

    def __init__(  # noqa: PLR0913 - the last three are for tests, and for agents that work for others
        self,
        work: Work,
        root: Path,
        ask: Ask,
        tell: Callable[[AgentEvent], None],
        *,
        scratch: Path = SCRATCH,
        run: Run | None = None,
        child: "Child | None" = None,
    ) -> None:
        self._work = work
        self._tell = tell
        self._child = child
        self._propose = _build_propose(work)
        self._delegate = self._build_delegate(ask) if work.delegation or work.review != "off" else None
        self._editor = _build_editor(work, ask)
        delegate = self._delegate.tool if self._delegate and work.delegation else None
        extra: list[Offered] = [tool for tool in (self._propose, delegate, self._editor) if tool]
        tools = child.tools if child and child.tools else choose_tools(work.mode, *extra)
        if self._editor:
            tools = {name: tool for name, tool in tools.items() if name not in EDITING}
        self._dialect = Dialect(tools, work.edit_format, native=work.native_tools)
        self._model = Model(ask, self._dialect, "planner" if self._editor else "main")
        self._repository = BackgroundRepository(root)
        self._bench = _build_bench(work, root, scratch, run, alone=child is None)
        self._reviewer = _build_reviewer(work, self._delegate, self._bench)
        self._calling = Calling(self._dialect.tools, self._bench, tell)
        fixed = sum(len(spec.model_dump_json()) for spec in self._dialect.specs)
        self._conversation = Conversation(work.max_context_tokens, fixed, work.tokens_per_byte)
        self._condenser = Condenser(self._conversation, self._bench, self._model.summarise, tell)
        self._stuck = StuckDetector()
        self._hits = 0
        self._escalate = False
        self._unproven = 0
        self._silent = 0
        self._poor = 0
        self._acted = False
        self._steered = 0.0
        self._step = 0
        self._first = 0
        self._limit = work.max_steps

    def run(self) -> Ending:
        """Work on the task to an end."""
        own = self._child.instructions if self._child else ""
        dialect = "\n\n".join(
            part for part in (prompt.ARCHITECT if self._editor else "", self._dialect.instructions) if part
        )
        standing = prompt.choose_instructions(self._work.mode, dialect, own)
        self._begin(standing)
        if self._child:
            return self._go()
        self._repository.start()
        try:
            return self._go()
        finally:
            self._repository.settle()
            JOBS.end_all()

    def _begin(self, standing: str) -> None:
        whole = self._bench.scratch / "task.txt"
        files = read_files(self._work.load, self._bench)
        sections = lay_out(self._work, files, self._conversation.count, str(whole))
        if any(str(whole) in section.text for section in sections):
            whole.write_text(self._work.task, encoding="utf-8", errors="replace")
        self._conversation.begin(
            SystemMessage(content=standing),
            {section.layer: section.tokens for section in sections},
            self._task_message(sections),
            self._task_message([section for section in sections if section.layer != "files"]),
        )

    def _task_message(self, sections: Sequence[Section]) -> UserMessage:
        text = "\n\n".join(section.text for section in sections)
        return UserMessage(content=text, images=self._work.images)

    def resume(self, feedback: Feedback) -> Ending:
        """Go on in the same conversation, after what came out did not pass."""
        self._hits, self._silent, self._steered = 0, 0, 0.0  # what it did stays known: it is not a person who speaks
        self._unproven += 1
        self._first, self._limit = self._step, self._step + feedback.max_steps
        self._conversation.append(UserMessage(content=prompt.build_feedback(self._shorten(feedback.text))), said=True)
        try:
            return self._go()
        finally:
            JOBS.end_all()

    def _longest_reply(self) -> int:
        """Return the characters of a reply that are kept: about a quarter of what fits, less in a small window."""
        ceiling = self._conversation.ceiling
        return ceiling if ceiling >= SMALL else ceiling // 2

    def _shorten(self, feedback: str) -> str:
        """Return as much of what the host says as fits beside the work; all of it lies in a file then."""
        whole = self._bench.scratch / "feedback.txt"
        shown = cut(feedback, int(FEEDBACK * self._conversation.ceiling), self._conversation.count, str(whole))
        if shown != feedback:
            whole.write_text(feedback, encoding="utf-8", errors="replace")
        return shown

    def _go(self) -> Ending:
        while self._step < self._limit:
            reply = self._think()
            if isinstance(reply, Ending):
                return reply
            message = self._model.keep(reply, self._longest_reply())
            self._conversation.append(message)
            ending = self._act(reply, message) if message.tool_calls else self._answer(reply)
            if ending:
                return ending
        return self._end(
            "steps", f"The limit of {self._limit - self._first} steps was reached before the work was finished."
        )

    def _think(self) -> ModelReply | Ending:
        self._condenser.make_room()
        if not self._conversation.fits() and not self._condense():
            tokens = self._conversation.estimate()
            return self._end(
                "context",
                f"The conversation needs about {tokens:,} tokens, {self._conversation.ceiling:,} are allowed.",
            )
        self._step += 1
        for attempt in (1, 2):
            self._tell(StepStarted(step=self._step, estimated_tokens=self._conversation.estimate()))
            answer = self._model.reply(
                self._conversation.messages, self._conversation.layers(), escalate=self._wants_stronger()
            )
            match answer:
                case ModelReply():
                    self._escalate = False
                    self._conversation.calibrate(answer.usage.prompt_tokens)
                    return answer
                case ModelFailure(cause="context_window"):
                    if attempt == 2:
                        return self._end("context", answer.message, answer)
                    self._condense(self._conversation.estimate() // 2)  # a second overflow asks a larger window
                case ModelFailure(cause="budget"):
                    return self._end("budget", answer.message, answer)
                case ModelFailure():
                    return self._end("model_failed", answer.message, answer)
                case _:
                    assert_never(answer)
        raise AssertionError

    def _wants_stronger(self) -> bool:
        """Whether the stronger model is to answer: once against circles, and while edits or proofs fail twice over."""
        failing = self._bench.failed_edits.struggling or self._unproven >= UNPROVEN_ROUNDS
        return self._escalate or (self._work.has_stronger and failing)

    def _act(self, reply: ModelReply, message: AssistantMessage) -> Ending | None:
        self._say(reply.content)
        self._repository.settle()
        self._acted, self._silent = True, 0
        done = self._reviewed(self._calling.run(reply, message))
        pattern = self._find_pattern(done)
        notes = [note for note in (self._steer(reply), self._nudge(pattern)) if note]
        for one in done[:-1]:
            self._keep(one, "")
        self._keep(done[-1], "\n".join(notes))
        if finished := next((one for one in done if one.result.ends), None):
            return self._end("finished", finished.result.text)
        return self._judge(pattern)

    def _reviewed(self, done: list[Done]) -> list[Done]:
        """Have a finished change looked at, once more after an objection; the objection becomes the call's result."""
        last = done[-1]
        objection = self._reviewer.object_to(last.result.text) if self._reviewer and last.result.ends else None
        if objection is None:
            return done
        text = prompt.build_objection(objection)
        return [*done[:-1], replace(last, result=ToolResult(text, outcome="the reviewer objects", ok=False))]

    def _find_pattern(self, done: list[Done]) -> str:
        """Note what was done, and return the last pattern that it makes."""
        patterns = [self._stuck.acted(one.tool, one.arguments, one.result.text, one.result.failure) for one in done]
        patterns += [one.result.pattern for one in done]
        for passed in (one.result.passed for one in done if one.result.passed is not None):
            self._stuck.tested(passed)
        if self._bench.edited:
            patterns.append(self._stuck.edited(digest_files(self._bench.edited)))
        return next((found for found in reversed(patterns) if found), "")

    def _keep(self, one: Done, extra: str) -> None:
        text = one.result.text or "(no output)"
        content = "finished" if one.result.ends else f"{text}\n{extra}" if extra else text
        content = content.encode("utf-8", "replace").decode()
        self._conversation.append(
            ToolMessage(tool_call_id=one.identifier, content=content),
            keep=bool(one.result.failure),
            read=one.result.read if one.result.ok else "",
        )

    def _answer(self, reply: ModelReply) -> Ending | None:
        """Deal with a reply without a tool call: it is nudged once, and then taken for what it is."""
        self._say(reply.content)
        self._silent += 1
        if reply.finish_reason == "length" and self._silent == 1:
            self._prod("the reply was cut off at the output limit", prompt.NUDGE_LENGTH)
            return None
        if self._silent >= 2:
            if reply.content.strip() and self._acted and reply.finish_reason != "length":
                return self._finish_in_words(reply.content.strip())
            what = "text without a tool call" if reply.content.strip() else "empty replies"
            return self._end("stuck", f"The model gave only {what}.")
        if reply.content.strip():
            self._prod("no tool call", prompt.NUDGE_NO_TOOL)
        else:
            self._prod("an empty reply", prompt.NUDGE_EMPTY)
        return None

    def _finish_in_words(self, text: str) -> Ending | None:
        objection = self._reviewer.object_to(text) if self._reviewer else None
        if objection is None:
            return self._end("finished", text)
        self._silent = 0
        self._conversation.append(UserMessage(content=prompt.build_objection(objection)))
        return None

    def _prod(self, problem: str, text: str) -> None:
        self._tell(ModelErred(problem=problem))
        self._conversation.append(UserMessage(content=text))

    def _judge(self, pattern: str) -> Ending | None:
        """Deal with going round in circles: a word first, then once the stronger model if there is one, then an end."""
        if not pattern:
            return None
        self._hits += 1
        if self._hits == 2 and self._work.has_stronger:
            self._escalate = True
        elif self._hits >= 2:
            return self._end("stuck", f"The agent went round in circles: {pattern}.")
        return None

    def _nudge(self, pattern: str) -> str:
        if not pattern or self._hits:
            return ""
        self._tell(ModelErred(problem=f"going in circles: {pattern}"))
        return f"[You are going in circles: {pattern}. Do something else, or call finish and say what is in the way.]"

    def _steer(self, reply: ModelReply) -> str:
        spent = max(reply.budget.spent, (self._step - self._first) / max(self._limit - self._first, 1))
        passed = max((mark for mark in STEERING if spent >= mark), default=0.0)
        if passed <= self._steered:
            return ""
        self._steered = passed
        return prompt.build_steering(spent)

    def _condense(self, target: int | None = None) -> bool:
        """Make the conversation shorter, and say whether that helped; two cuts in a row that free little don't."""
        freed = self._condenser.condense(target)
        self._poor = 0 if freed else self._poor + 1
        return self._conversation.fits() and (freed or self._poor < 2)

    def _say(self, text: str) -> None:
        if text.strip():
            self._tell(AssistantSaid(text=text))

    def _end(self, reason: EndReason, summary: str, failure: ModelFailure | None = None) -> Ending:
        outputs = tuple(self._propose.outputs) if self._propose else ()
        review = self._reviewer.last if self._reviewer else None
        return Ending(reason, summary, self._step, failure, outputs, review)

    def _build_delegate(self, ask: Ask) -> "Delegate":
        from ay_bot.agent.delegating import Delegate, Parent

        return Delegate(
            Parent(
                work=self._work,
                ask=ask,
                tell=self._tell,
                run=self._run_child,
                steps_left=lambda: self._limit - self._step,
                take_steps=self._take_steps,
            )
        )

    def _take_steps(self, steps: int) -> None:
        self._step += steps

    def _run_child(self, child: "Child") -> Ending:
        scratch = Path(tempfile.mkdtemp(prefix="agent-", dir=self._bench.scratch))
        run = self._bench.run
        return Agent(child.work, child.root, child.ask, child.tell, scratch=scratch, run=run, child=child).run()


def _build_propose(work: Work) -> "Propose | None":
    if not work.outputs:
        return None
    from ay_bot.agent.tools.propose import Propose

    return Propose(work)


def _build_editor(work: Work, ask: Ask) -> "Tool[ImplementArguments] | None":
    if not work.architect or work.mode != "change":
        return None
    from ay_bot.agent.editing import Editor

    return Editor(ask, work.edit_format).tool


def _build_reviewer(work: Work, delegate: "Delegate | None", bench: Workbench) -> "Reviewer | None":
    if work.review == "off" or work.mode != "change" or delegate is None:
        return None
    from ay_bot.agent.reviewing import Reviewer

    room = int(room_in("task", work.max_context_tokens) / work.tokens_per_byte)
    return Reviewer(work.task, delegate, bench, room)


def _build_bench(work: Work, root: Path, scratch: Path, run: Run | None, *, alone: bool) -> Workbench:
    from ay_bot.agent.commands import run_command, start_job

    scratch.mkdir(parents=True, exist_ok=True)
    return Workbench(
        root=root.resolve(),
        scratch=scratch,
        run=run or run_command,
        start=start_job if alone and work.mode == "change" else None,  # an answer has no tool to look at it
        test_command=work.test_command,
        command_timeout=work.command_timeout,
        test_timeout=work.test_timeout,
        policy=work.policy,
        output_limit=max(min(READ_LIMIT, work.max_context_tokens), 2_000),
    )
