"""The conversation, and how it is kept below its ceiling: history is only appended to, until it must be cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Self

from ay_bot.protocol.conversation import AssistantMessage, Message, ToolMessage, UserMessage
from ay_bot.protocol.layers import BYTES_PER_TOKEN, Layer

PER_MESSAGE = 16  # bytes: the role and the marks around it
LEAST, MOST, WEIGHT = 0.7, 4.0, 0.3  # a token has a byte at least; what was counted for less is believed slowly
REDUCE_TO = 0.6  # of the ceiling: one deep cut keeps the prefix stable for longer than many small ones
KEEP_FIRST = 4  # messages: the beginning, which says what it is all about
LEAST_MASKED = 400  # bytes; what is shorter is not worth a mask


@dataclass(slots=True)
class Entry:
    """A message with its size in bytes; `keep` shields a tool result from the first round of masking.

    `said` marks a person's words, to be kept when all around them is condensed. A message that stands for condensed
    ones has their `summary`, and in `words` what people said in them.
    """

    message: Message
    size: int
    keep: bool = False
    read: str = ""
    said: bool = False
    summary: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def condensed(cls, message: Message, summary: str, words: tuple[str, ...]) -> Self:
        """Make what stands for condensed messages."""
        return cls(message, _size(message), summary=summary, words=words)


@dataclass(frozen=True, slots=True)
class Reduction:
    """How much a reduction saved, in estimated tokens."""

    before: int
    after: int


class Conversation:
    """All messages in order, their estimated tokens, and the ceiling in tokens."""

    def __init__(self, ceiling: int, fixed_bytes: int, tokens_per_byte: float = 1 / BYTES_PER_TOKEN) -> None:
        self.ceiling = ceiling
        self.entries: list[Entry] = []
        self._bytes = self._fixed = fixed_bytes
        self._factor = tokens_per_byte * BYTES_PER_TOKEN
        self._layers: dict[Layer, int] = {}  # sizes of what the first message is made of
        self._shorter: Message | None = None

    @property
    def messages(self) -> list[Message]:
        """What is sent."""
        return [entry.message for entry in self.entries]

    def begin(self, standing: Message, layers: Mapping[Layer, int], task: Message, shorter: Message) -> None:
        """Start with two messages; `layers` are the second one's parts in tokens, `shorter` is it without any files."""
        self.append(standing)
        self._layers = {layer: self.bytes_in(tokens) for layer, tokens in layers.items()}
        self._shorter = shorter
        size = _size(task) - len(task.content.encode("utf-8", "replace")) + sum(self._layers.values())
        self.entries.append(Entry(task, size, said=True))
        self._bytes += size

    def bytes_in(self, tokens: float) -> int:
        """Return how many bytes have so many tokens, as far as is known."""
        return ceil(tokens * BYTES_PER_TOKEN / self._factor)

    def layers(self) -> dict[Layer, int]:
        """Return the estimated tokens of the next request's parts."""
        sizes: dict[Layer, int] = {"standing": self._fixed + self.entries[0].size, **self._layers}
        return {
            layer: self.tokens(size) for layer, size in (sizes | {"history": self._bytes - sum(sizes.values())}).items()
        }

    def drop_files(self) -> None:
        """Leave out the files that the work began with: they can be read again."""
        if self._shorter is not None and (size := self._layers.pop("files", 0)):
            self.replace(1, 2, Entry(self._shorter, self.entries[1].size - size, said=True))

    def append(self, message: Message, *, keep: bool = False, read: str = "", said: bool = False) -> None:
        """Add a message. A new read of a file lets go of the older ones."""
        if read:
            for entry in self.entries:
                if entry.read == read:
                    entry.keep, entry.read = False, ""
        size = _size(message)
        self.entries.append(Entry(message, size, keep=keep or bool(read), read=read, said=said))
        self._bytes += size

    def estimate(self) -> int:
        """Tokens of the next request, from its bytes and what the provider counted before."""
        return self.tokens(self._bytes)

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return self.tokens(len(text.encode("utf-8", "replace")))

    def tokens(self, size: int) -> int:
        """Tokens of so many bytes."""
        return int(size / BYTES_PER_TOKEN * self._factor)

    def calibrate(self, prompt_tokens: int) -> None:
        """Learn from what the provider counted for what was just sent; call before appending the reply."""
        if prompt_tokens > 0:
            seen = min(max(prompt_tokens / (self._bytes / BYTES_PER_TOKEN), LEAST), MOST)
            self._factor = max(seen, self._factor + WEIGHT * (seen - self._factor))

    def fits(self) -> bool:
        """Whether the next request stays within the ceiling."""
        return self.estimate() <= self.ceiling

    def maskable(self, late: int) -> int:
        """Tokens that masking would free, but for shielded results and those of the `late` newest steps."""
        spare = (entry for entry in self._early(late) if not entry.keep and _masked(entry) is not None)
        return self.tokens(sum(entry.size for entry in spare))

    def mask(self, late: int) -> int:
        """Mask these results, and return the new estimate."""
        for entry in self._early(late):
            if not entry.keep:
                self._replace(entry, _masked(entry))
        return self.estimate()

    def _early(self, late: int) -> list[Entry]:
        steps = [at for at, entry in enumerate(self.entries) if isinstance(entry.message, AssistantMessage)]
        return self.entries[KEEP_FIRST : steps[-late]] if len(steps) >= late else []

    def replace(self, start: int, end: int, entry: Entry) -> None:
        """Put one entry in the place of several, which must be whole batches."""
        self._bytes += entry.size - sum(gone.size for gone in self.entries[start:end])
        self.entries[start:end] = [entry]

    def reduce(self, target: int | None = None) -> Reduction:
        """Mask old tool results, oldest first, then the shielded ones, then cut the newest; stop when small enough."""
        before = self.estimate()
        must = self.ceiling if target is None else min(target, self.ceiling)
        newest = self._newest_batch()
        self._mask(newest, shielded=False, goal=min(must, int(self.ceiling * REDUCE_TO)))
        self._mask(newest, shielded=True, goal=must)
        self._cut_newest(newest, must)
        return Reduction(before, self.estimate())

    def _mask(self, newest: int, *, shielded: bool, goal: int) -> None:
        for index, entry in enumerate(self.entries[:newest]):
            if self.estimate() <= goal:
                return
            if (entry.keep or index < KEEP_FIRST) == shielded:
                self._replace(entry, _masked(entry))

    def _newest_batch(self) -> int:
        # What the model has not yet seen an answer to: everything from its last message on.
        for index in range(len(self.entries) - 1, -1, -1):
            if isinstance(self.entries[index].message, AssistantMessage):
                return index
        return len(self.entries)

    def _cut_newest(self, newest: int, goal: int) -> None:
        results = [entry for entry in self.entries[newest:] if isinstance(entry.message, ToolMessage)]
        for entry in sorted(results, key=lambda entry: -entry.size):
            excess = int((self.estimate() - goal) * BYTES_PER_TOKEN / self._factor)
            if excess <= 0:
                return
            self._replace(entry, _shortened(entry, max(entry.size - excess - 200, 1_000)))

    def _replace(self, entry: Entry, content: str | None) -> None:
        if content is None or not isinstance(entry.message, ToolMessage):
            return
        entry.message = ToolMessage(tool_call_id=entry.message.tool_call_id, content=content)
        size = _size(entry.message)
        self._bytes += size - entry.size
        entry.size = size


def _masked(entry: Entry) -> str | None:
    if not isinstance(entry.message, ToolMessage) or entry.size < LEAST_MASKED:
        return None
    lines = entry.message.content.count("\n") + 1
    return f"[output of {lines:,} lines left out; rerun to see it]"


def _shortened(entry: Entry, size: int) -> str | None:
    content = entry.message.content
    if entry.size <= size:
        return None
    half = size // 2
    data = content.encode("utf-8", "replace")
    head, tail = data[:half].decode("utf-8", "ignore"), data[-half:].decode("utf-8", "ignore")
    return f"{head}\n[… {len(data) - 2 * half:,} bytes left out: the conversation is too long …]\n{tail}"


def _size(message: Message) -> int:
    size = PER_MESSAGE + len(message.content.encode("utf-8", "replace"))
    if isinstance(message, AssistantMessage):
        size += sum(
            PER_MESSAGE + len(call.name) + len(call.arguments.encode("utf-8", "replace")) for call in message.tool_calls
        )
        size += sum(len(thought.data) for thought in message.thoughts)
    if isinstance(message, UserMessage):
        size += sum(int(part.tokens * BYTES_PER_TOKEN) for part in message.images)
    return size
