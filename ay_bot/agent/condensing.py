"""Keeping a long conversation short: old results are masked first, then its middle is told in few words.

Nothing is cut while there is room, so that each request repeats the one before it. What must not be forgotten (the
plan, what was edited, the last test result, what people said) is rebuilt from the session's state each time.
The thresholds are those of OpenHands' and Codex's condensers, taken together.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ay_bot.agent import prompt
from ay_bot.agent.context import KEEP_FIRST, Conversation, Entry
from ay_bot.agent.shortening import cut
from ay_bot.agent.tools.result import one_line
from ay_bot.agent.tools.workbench import Workbench
from ay_bot.protocol.conversation import AssistantMessage, ToolMessage, UserMessage
from ay_bot.protocol.events import ContextReduced

MASK_AT, CONDENSE_AT = 0.6, 0.8  # of the ceiling
MOST_MESSAGES: Final = 320
LATE_STEPS: Final = 20  # whose results are never masked for room alone
LEAST_FREED: Final = 0.1
SHRINK, TRIES = 0.8, 5
MOST_WORDS: Final = 80_000  # bytes of what people said, the newest first
WORDS, SUMMARY = 0.2, 0.1  # of the ceiling, at most: what stands for the middle must not fill it
LONGEST_ENTRY: Final = 4_000  # bytes of a message in what is to be summarised
MOST_SILENT: Final = 2  # requests for a summary without one: each may have waited for minutes
LEAST_SUMMARY: Final = 300  # tokens
LINES: Final = 60  # of a summary that no model wrote

Summarise = Callable[[str], str]
"""Ask a model for a summary of a transcript; empty where it gives none."""


class Condenser:
    """Watches one conversation; `tell` hears of every cut."""

    def __init__(
        self,
        conversation: Conversation,
        bench: Workbench,
        summarise: Summarise,
        tell: Callable[[ContextReduced], None],
    ) -> None:
        self._conversation = conversation
        self._bench = bench
        self._summarise = summarise
        self._tell = tell
        self._again_at = 0.0
        self._silent = 0

    def make_room(self) -> None:
        """Cut what need not be sent, if the next request comes near the ceiling."""
        size, ceiling = self._conversation.estimate(), self._conversation.ceiling
        many = len(self._conversation.entries) > MOST_MESSAGES
        if size > MASK_AT * ceiling and self._conversation.maskable(LATE_STEPS) >= LEAST_FREED * ceiling:
            self._note(size, self._conversation.mask(LATE_STEPS), "masked")
            size = self._conversation.estimate()
        if (many or size > CONDENSE_AT * ceiling) and size >= self._again_at:
            helped = self.condense()  # where it doesn't, it is not paid for again before there is more to tell
            self._again_at = 0.0 if helped else self._conversation.estimate() + LEAST_FREED * ceiling

    def condense(self, target: int | None = None) -> bool:
        """Tell the middle in few words, and cut harder while that frees too little; say whether it helped.

        `target` is how many tokens may be left; the ceiling, where it is not given.
        """
        before = self._conversation.estimate()
        goal = min(target or self._conversation.ceiling, self._conversation.ceiling)
        keep = goal / 2
        for attempt in range(TRIES):
            span = find_middle(self._conversation.entries, self._conversation.tokens, keep)
            if span:
                self._replace(*span, ask=attempt == 0)
            if self._conversation.estimate() <= min(goal, (1 - LEAST_FREED) * before):
                return True
            keep *= SHRINK
        after = self._conversation.reduce(goal).after
        if after > goal:
            self._conversation.drop_files()
            after = self._conversation.estimate()
        if after < before:
            self._note(before, after, "cut")
        return after <= (1 - LEAST_FREED) * before

    def _replace(self, start: int, end: int, *, ask: bool) -> None:
        before = self._conversation.estimate()
        middle = self._conversation.entries[start:end]
        written = self._ask("\n".join(transcribe(middle))) if ask else ""
        words = [entry.message.content for entry in middle if entry.said and isinstance(entry.message, UserMessage)]
        earlier = [entry.words for entry in middle if entry.words]
        ceiling = self._conversation.ceiling
        most = min(MOST_WORDS, self._conversation.bytes_in(WORDS * ceiling))
        kept = newest((*(word for some in earlier for word in some), *words), most)
        summary = written.strip() or "\n".join(outline(middle))
        summary = cut(summary, max(int(SUMMARY * ceiling), LEAST_SUMMARY), self._conversation.count)
        text = prompt.build_condensed(summary, build_ledger(self._bench), kept)
        self._conversation.replace(start, end, Entry.condensed(UserMessage(content=text), summary, kept))
        self._note(before, self._conversation.estimate(), "summarised" if written.strip() else "outlined")

    def _ask(self, transcript: str) -> str:
        """Return a summary, or nothing; a model that gave none twice in a row is waited for no more."""
        if self._silent >= MOST_SILENT:
            return ""
        written = self._summarise(transcript)
        self._silent = 0 if written.strip() else self._silent + 1
        return written

    def _note(self, before: int, after: int, how: str) -> None:
        self._tell(ContextReduced(before_tokens=before, after_tokens=after, how=how))


def find_middle(entries: Sequence[Entry], tokens: Callable[[int], int], keep: float) -> tuple[int, int] | None:
    """Return which entries may go: not the first, not the newest that make up `keep` tokens, never half a batch."""
    start = _after_batch(entries, min(KEEP_FIRST, len(entries)))
    end, size = len(entries), 0
    for index in range(len(entries) - 1, start - 1, -1):
        size += tokens(entries[index].size)
        if size > keep and end < len(entries):
            break
        if not isinstance(entries[index].message, ToolMessage):
            end = index
    return (start, end) if end - start > 1 else None


def _after_batch(entries: Sequence[Entry], index: int) -> int:
    while index < len(entries) and isinstance(entries[index].message, ToolMessage):
        index += 1
    return index


def transcribe(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the messages as text for whoever summarises them."""
    for entry in entries:
        message = entry.message
        if isinstance(message, AssistantMessage):
            calls = "".join(f"\n→ {call.name} {call.arguments}" for call in message.tool_calls)
            yield _short(f"AGENT: {message.content}{calls}")
        elif isinstance(message, ToolMessage):
            yield _short(f"RESULT: {message.content}")
        else:
            yield _short(f"{message.role.upper()}: {message.content}")


def outline(entries: Sequence[Entry]) -> list[str]:
    """Return what was done, a line for each call; the middle of many is left out."""
    lines: list[str] = []
    for entry in entries:
        message = entry.message
        if isinstance(message, AssistantMessage):
            if message.content.strip():
                lines.append(f"said: {one_line(message.content, 160)}")
            lines += [f"{call.name} {one_line(call.arguments, 120)}" for call in message.tool_calls]
        elif isinstance(message, ToolMessage) and lines:
            lines.append(f"  → {one_line(message.content, 160)}")
        elif entry.summary:
            lines += entry.summary.splitlines()[: LINES // 2]
    if len(lines) <= LINES:
        return lines
    return [*lines[: LINES // 3], f"… {len(lines) - LINES} lines …", *lines[-(LINES - LINES // 3) :]]


def newest(words: Sequence[str], most: int) -> tuple[str, ...]:
    """Return the last of what people said, as much as fits into `most` bytes; one at least, cut if need be."""
    kept: list[str] = []
    for word in reversed(words):
        data = word.encode("utf-8", "replace")
        if len(data) > most:
            if not kept:
                kept.append(data[:most].decode("utf-8", "ignore"))
            break
        most -= len(data)
        kept.append(word)
    return tuple(reversed(kept))


def build_ledger(bench: Workbench) -> str:
    """Return what holds now, from the session's state and not from what was said about it."""
    marks = {"done": "x", "doing": ">", "open": " "}
    edited = sorted(bench.shown(path) for path in bench.edited)
    parts = [
        "Plan:\n" + "\n".join(f"[{marks[step.state]}] {step.text}" for step in bench.plan) if bench.plan else "",
        f"Files edited: {', '.join(edited)}" if edited else "",
        f"Last test run: {bench.tests}" if bench.tests else "",
        "Refused, don't try again:\n" + "\n".join(bench.rejected) if bench.rejected else "",
    ]
    return "\n".join(part for part in parts if part)


def _short(text: str) -> str:
    if len(text) <= LONGEST_ENTRY:
        return text
    return f"{text[: LONGEST_ENTRY // 2]}\n[…]\n{text[-LONGEST_ENTRY // 2 :]}"
