"""What the agent is told of its work, laid out in layers, each of them within its share of what may be sent."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from ay_bot.agent import prompt
from ay_bot.agent.tools.workbench import Refusal, Workbench
from ay_bot.protocol.layers import Layer, limit_of
from ay_bot.protocol.messages import Work

FRAME: Final = 60  # tokens around a layer's text: the words that introduce it, its fence, the mark of a cut
LARGEST_FILE: Final = 4 * 1024 * 1024

Count = Callable[[str], int]


class Section(NamedTuple):
    """A part of the first message."""

    layer: Layer
    text: str


class LoadedFile(NamedTuple):
    """A file that the work begins with."""

    path: str
    text: str


def lay_out(work: Work, files: Sequence[LoadedFile], count: Count, whole: str = "") -> tuple[Section, ...]:
    """Return the sections in their order. What is longer than its share is cut; `whole` says where all of it lies."""

    def fit(layer: Layer, text: str) -> str:
        return cut(text, limit_of(layer, work.max_context_tokens) - FRAME, count, whole)

    laid = (
        Section("task", prompt.build_task(fit("task", work.task))),
        Section(
            "instructions",
            prompt.build_instructions(
                fit("instructions", work.instructions), work.deeper_instructions, work.test_command
            ),
        ),
        Section("map", prompt.build_map(fit("map", work.map))),
        Section("files", _show_files(files, limit_of("files", work.max_context_tokens), count)),
    )
    return tuple(section for section in laid if section.text)


def cut(text: str, limit: int, count: Count, whole: str = "") -> str:
    """Return the beginning of a text that has at most so many tokens, with a mark where it ends."""
    kept, shown = len(text), text
    while kept and (size := count(shown)) > limit:
        kept = min(int(kept * limit / size * 0.98), kept - 100)
        shown = prompt.build_cut(text[: max(kept, 0)], len(text), whole)
    return shown if kept > 0 else ""


def read_files(paths: Iterable[str], bench: Workbench) -> list[LoadedFile]:
    """Return the files of these paths that can be read, and are text."""
    return [file for path in paths if (file := _read(path, bench)) is not None]


def _read(path: str, bench: Workbench) -> LoadedFile | None:
    try:
        file = bench.readable(path)
        if not file.is_file() or file.stat().st_size > LARGEST_FILE:
            return None
        return LoadedFile(path, file.read_bytes().decode())
    except (Refusal, OSError, UnicodeDecodeError):
        return None


def _show_files(files: Sequence[LoadedFile], limit: int, count: Count) -> str:
    """Return the files as text, from the first on as many as fit."""
    left, shown = limit - FRAME, []
    for file in files:
        text = prompt.show_file(file.path, file.text)
        left -= count(text)
        if left < 0:
            break
        shown.append(text)
    return prompt.build_files(shown)
