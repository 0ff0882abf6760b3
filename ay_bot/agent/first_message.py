"""What the agent is told of its work, laid out in layers, each of them within its share of what may be sent."""

from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Final, NamedTuple

from ay_bot.agent import prompt
from ay_bot.agent.shortening import cut, shorten_task
from ay_bot.agent.tools.workbench import Refusal, Workbench
from ay_bot.protocol.layers import FRAME, Layer, room_in
from ay_bot.protocol.messages import Work

LARGEST_FILE: Final = 4 * 1024 * 1024

Count = Callable[[str], int]


class Section(NamedTuple):
    """A part of the first message, how many tokens it has, and those of the files in it."""

    layer: Layer
    text: str
    tokens: int
    files: tuple[tuple[str, int], ...] = ()


class LoadedFile(NamedTuple):
    """A file that the work begins with; `tokens` are those that it takes, where somebody has counted them already."""

    path: str
    text: str
    tokens: int | None = None


def lay_out(work: Work, files: Sequence[LoadedFile], count: Count, whole: str = "") -> tuple[Section, ...]:
    """Return the sections in their order. What is longer than its share is cut; `whole` says where all of a task lies.

    What the host has counted of a layer, with the model's own vocabulary, goes before `count`.
    """
    texts: dict[Layer, Callable[[int, Count], str]] = {
        "task": lambda room, count: prompt.build_task(shorten_task(work.task, room, count, whole)),
        "instructions": lambda room, count: _instruct(work, room, count),
        "map": lambda room, count: prompt.build_map(cut(work.map, room, count)),
    }
    laid = []
    for layer, build in texts.items():
        counted = counter_of(layer, work, count)
        text = build(room_in(layer, work.max_context_tokens), counted)
        laid.append(Section(layer, text, counted(text)))
    laid.append(_show_files(files, room_in("files", work.max_context_tokens), counter_of("files", work, count)))
    return tuple(section for section in laid if section.text)


def counter_of(layer: Layer, work: Work, count: Count) -> Count:
    """Return what counts the tokens of a layer: by its bytes, where the host has counted it, else `count`."""
    rate = work.layer_rates.get(layer)
    return count if rate is None else lambda text: ceil(len(text.encode("utf-8", "replace")) * rate)


def _instruct(work: Work, room: int, count: Count) -> str:
    """Return the repository's instructions; of the paths of further ones as many as fit into half of the room."""
    deeper = list(work.deeper_instructions)
    while deeper and count(prompt.build_instructions("", deeper, "")) > room // 2:
        deeper.pop()
    command = cut(work.test_command, room // 4, count)
    left = room - count(prompt.build_instructions("", deeper, command))
    return prompt.build_instructions(cut(work.instructions, left, count, "AGENTS.md"), deeper, command)


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


def _show_files(files: Sequence[LoadedFile], limit: int, count: Count) -> Section:
    """Return the files as text, from the first on as many as fit; each is counted once."""
    left, shown, sizes = limit, list[str](), list[tuple[str, int]]()
    for file in files:
        text = prompt.show_file(file.path, file.text)
        size = count(text) if file.tokens is None else file.tokens
        if size > left:
            break
        left -= size
        shown.append(text)
        sizes.append((file.path, size))
    return Section("files", prompt.build_files(shown), limit - left + FRAME, tuple(sizes))
