"""What a run would tell its agent of a commit, worked out at once and without a box: for `ay-bot context build`."""

from collections.abc import Sequence
from typing import NamedTuple

from ay_bot.host.briefing import wish_for
from ay_bot.host.commit_tree import CommitTree
from ay_bot.host.context.planning import plan
from ay_bot.host.instructions import find_instructions
from ay_bot.host.objects import ObjectReader
from ay_bot.host.outline_source import GitSource
from ay_bot.outline.counting import Counter, count_most, encodings_of
from ay_bot.outline.outlining import Outline
from ay_bot.protocol.messages import Work


class Described(NamedTuple):
    """The work, the texts of its files by path with their tokens, and what counts tokens."""

    work: Work
    files: tuple[tuple[str, str, int], ...]
    count: Counter


def describe_commit(
    outline: Outline, source: GitSource, task: str, tokens: int, load: Sequence[str], model: str
) -> Described:
    """Return what a conversation of so many tokens would begin with."""
    objects = ObjectReader(source.git_dir)
    planned = plan(outline, source, wish_for(task, tokens, tuple(load), model))
    texts = objects.read_files(source.commit, [path.encode() for path in planned.load])
    work = Work(
        task=task,
        instructions=find_instructions(CommitTree(objects, source.commit)).text,
        max_context_tokens=tokens,
        map=planned.map,
        load=planned.load,
    )
    sized = zip(planned.load, planned.sizes, strict=True)
    files = tuple((path, texts[path.encode()].decode(), size) for path, size in sized)
    return Described(work, files, count_most(encodings_of(model)))
