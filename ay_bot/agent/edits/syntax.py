"""Telling at once when an edit broke a file that could be parsed before."""

import ast
import json
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ay_bot.agent.edits.grammars import LANGUAGES, load_parser
from ay_bot.agent.edits.parts import find_parts
from ay_bot.agent.edits.staging import Stage

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_PARSED: Final = 1024 * 1024
LONG: Final = 64 * 1024  # bytes; what is shorter is parsed whole in a few milliseconds
PYTHON: Final = frozenset({".py", ".pyi"})
BY_PARTS: Final = frozenset(PYTHON | LANGUAGES.keys() - {".php"})
"""Files of which a part that begins and ends at the margin means by itself what it means within."""


def new_syntax_errors(stage: Stage) -> dict[Path, str]:
    """What is wrong with each file of the stage that no longer parses, or never did because it is new."""
    found = {}
    for path, staged in stage.files.items():
        if staged.changed and staged.after is not None:
            if staged.before and _is_sound_where_it_changed(path.suffix, staged.before, staged.after):
                continue
            after = syntax_error(path.suffix, staged.after)
            if after and (staged.before is None or not syntax_error(path.suffix, staged.before)):
                found[path] = after
    return found


def _is_sound_where_it_changed(suffix: str, before: bytes, after: bytes) -> bool:
    """Whether what changed of a long file parses by itself, as it did before: then the rest need not be looked at."""
    if len(after) < LONG or suffix.lower() not in BY_PARTS:
        return False
    parts = find_parts(before, after, definitions=suffix.lower() in PYTHON)
    return any(not any(syntax_error(suffix, one) for one in part) for part in parts)


def syntax_error(suffix: str, content: bytes) -> str:
    """What is wrong with a file, and on which line; empty if nothing is, or nobody here can tell."""
    if len(content) > MAX_PARSED:
        return ""
    match suffix.lower():
        case ".py" | ".pyi":
            return _said("Python", _parse_python, content)
        case ".json":
            return _said("JSON", json.loads, content)
        case ".toml":
            return _said("TOML", lambda text: tomllib.loads(text.decode("utf-8-sig")), content)
        case other:
            return _error_in_tree(LANGUAGES[other], content) if other in LANGUAGES else ""


def _parse_python(content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(content)


def _said(name: str, parse: Callable[[bytes], object], content: bytes) -> str:
    try:
        parse(content)
    except SyntaxError as error:
        return f"is no longer valid {name}: line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"is no longer valid {name}: {str(error) or type(error).__name__}"
    return ""


def _error_in_tree(language: str, content: bytes) -> str:
    parser = load_parser(language)
    if parser is None:
        return ""
    node = parser.parse(content).root_node
    if not node.has_error:
        return ""
    wrong = _innermost(node)
    what = f"{wrong.type!r} is missing" if wrong.is_missing else "this can't be parsed"
    return f"has a new syntax error: line {wrong.start_point.row + 1}: {what}"


def _innermost(node: "Node") -> "Node":
    """The first error of a tree, as deep as it is."""
    while not (node.is_missing or node.is_error):
        within = next((child for child in node.children if child.has_error or child.is_missing), None)
        if within is None:
            return node
        node = within
    return node
