"""What a run would tell its agent of a commit, worked out at once and without a box: for `ay-bot context build`."""

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha1
from typing import NamedTuple

from ay_bot.host.briefing import instruct, wish_for
from ay_bot.host.commit_tree import CommitTree
from ay_bot.host.config import CONFIG_FILE, Overrides
from ay_bot.host.context.planning import plan
from ay_bot.host.instructions import list_deeper
from ay_bot.host.objects import ObjectReader
from ay_bot.host.outline_source import GitSource
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.policy.boxes import is_hidden
from ay_bot.host.settings_file import load_settings
from ay_bot.host.test_command import detect
from ay_bot.outline.counting import Counter, count_most, encodings_of
from ay_bot.outline.outlining import Outline
from ay_bot.outline.tree_source import Entry
from ay_bot.protocol.messages import Work


class Described(NamedTuple):
    """The work, the texts of its files by path with their tokens, and what counts tokens."""

    work: Work
    files: tuple[tuple[str, str, int], ...]
    count: Counter


class SeenSource(GitSource):
    """A commit without the files that its settings keep from the agent."""

    policy = PathPolicy()

    @classmethod
    def of(cls, source: GitSource, policy: PathPolicy) -> GitSource:
        """Return the source as it is where nothing is kept from anybody."""
        if not policy.hides:
            return source
        seen = cls(source.git_dir, source.commit)
        seen.policy = policy
        return seen

    @cached_property
    def _seen(self) -> list[Entry]:
        return [entry for entry in super().entries() if not is_hidden(entry.path, self.policy)]

    def entries(self) -> list[Entry]:
        """Return the regular files of the tree that the agent may see."""
        return list(self._seen)

    @property
    def tree(self) -> str:
        """An id of just these files."""
        listing = "\0".join(part for entry in self._seen for part in entry)
        return sha1(listing.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def describe_commit(
    outline: Outline, source: GitSource, task: str, tokens: int, load: Sequence[str], model: str
) -> Described:
    """Return what a conversation of so many tokens would begin with; without `load`, what the settings load, or all."""
    objects = ObjectReader(source.git_dir)
    tree = CommitTree(objects, source.commit)
    settings = load_settings(objects.read_file(source.commit, CONFIG_FILE), Overrides(), needs_model=False)
    instructions = instruct(tree, settings, tokens)
    wish = wish_for(task, tokens, tuple(load) or settings.load or (".",), model)
    if settings.repository_map == "off":
        wish = wish.model_copy(update={"map_tokens": 0})
    planned = plan(outline, SeenSource.of(source, PathPolicy(rules=settings.files)), wish)
    texts = objects.read_files(source.commit, [path.encode() for path in planned.load])
    work = Work(
        task=task,
        instructions=instructions.text,
        deeper_instructions=list_deeper(tree.paths, instructions.sources),
        test_command=settings.test or _detected(objects, source.commit),
        max_context_tokens=tokens,
        map=planned.map,
        load=planned.load,
    )
    sized = zip(planned.load, planned.sizes, strict=True)
    files = tuple((path, texts[path.encode()].decode(), size) for path, size in sized)
    return Described(work, files, count_most(encodings_of(model)))


def _detected(objects: ObjectReader, commit: str) -> str:
    found = detect(objects, commit)
    return found.command if found else ""
