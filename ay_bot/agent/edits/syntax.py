"""Telling at once when an edit broke a Python file that could be parsed before."""

import ast
import warnings
from collections.abc import Callable
from pathlib import Path

from ay_bot.agent.edits.staging import Stage

MAX_PARSED = 2 * 1024 * 1024


def new_syntax_errors(stage: Stage, shown: Callable[[Path], str]) -> list[str]:
    """One line for every Python file of the stage that no longer parses."""
    found = []
    for path, staged in stage.files.items():
        if path.suffix in {".py", ".pyi"} and staged.changed and staged.after is not None:
            after = syntax_error(staged.after)
            if after and (staged.before is None or not syntax_error(staged.before)):
                found.append(f"warning: {shown(path)} is no longer valid Python: {after}")
    return found


def syntax_error(content: bytes) -> str:
    """What is wrong with Python source, and on which line; empty if nothing is."""
    if len(content) > MAX_PARSED:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""
