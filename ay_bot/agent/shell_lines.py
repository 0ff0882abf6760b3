"""The simple commands of a shell line: what would run, as far as that can be told without running it."""

import shlex
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from ay_bot.protocol.command_rules import WRAPPERS, Words

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LONGEST = 100_000
DEEPEST = 8
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_SKIPPED = frozenset({
    "variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect", "comment", "&", "|",
})  # fmt: skip


class NotUnderstood(Exception):
    """A text is no shell line that can be read here."""


def split_line(text: str, depth: int = 0) -> Iterator[Words]:
    """Return every simple command in `text`, nested ones and those of `sh -c` too. Raises NotUnderstood."""
    if len(text) > LONGEST or depth > DEEPEST:
        raise NotUnderstood
    root = _parser().parse(text.encode("utf-8", "replace")).root_node
    if root.has_error:
        raise NotUnderstood
    pending = [root]
    while pending:
        node = pending.pop()
        pending.extend(reversed(node.children))
        if node.type == "command":
            words = tuple(_words(node))
            yield words
            if inner := _script_of(words):
                yield from split_line(inner, depth + 1)


@cache
def _parser() -> "Parser":
    try:
        import tree_sitter_bash
        from tree_sitter import Language, Parser
    except ImportError:  # an image of the user's may lack it: then whole lines are judged, strictly
        raise NotUnderstood from None
    return Parser(Language(tree_sitter_bash.language()))


def _words(command: "Node") -> Iterator[str | None]:
    for child in command.children:
        if child.type == "command_name":
            yield _word(child.children[0])
        elif child.type not in _SKIPPED:
            yield _word(child)


def _word(node: "Node") -> str | None:
    """The text of a word without its quotes, None where it depends on what is run or set before."""
    if _is_dynamic(node):
        return None
    text = (node.text or b"").decode("utf-8", "replace").replace("\\\n", "")
    if "$'" in text or "{" in text:
        return None
    try:
        parts = shlex.split(text)
    except ValueError:
        return None
    return parts[0] if len(parts) == 1 else None


def _is_dynamic(node: "Node") -> bool:
    pending = [node]
    while pending:
        one = pending.pop()
        if "expansion" in one.type or "substitution" in one.type:
            return True
        pending.extend(one.children)
    return False


def _script_of(words: Words) -> str:
    """The shell text that a command carries in its arguments, if it does."""
    names = [word.rpartition("/")[2] if word else "" for word in words]
    for at, name in enumerate(names):
        if name == "eval":
            return " ".join(word for word in words[at + 1 :] if word)
        if name in _SHELLS:
            flags = [
                place for place in range(at + 1, len(words)) if names[place].startswith("-") and "c" in names[place]
            ]
            script = words[flags[0] + 1] if flags and flags[0] + 1 < len(words) else None
            return script or ""
        if name not in WRAPPERS and not name.startswith("-") and "=" not in name and not name.isdigit():
            return ""
    return ""
