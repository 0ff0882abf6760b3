"""Editable installs of the user's repository: in a box the repository is at /work, and they must point there."""

import ast
from collections.abc import Iterator
from pathlib import Path

WORKSPACE = Path("/work")


def workspace_paths(environment: Path, repository: Path) -> list[Path]:
    """Return where, in a box, the code lies that `environment` imports straight from `repository`."""
    root = repository.resolve()
    found: dict[Path, None] = {}
    for place in environment.glob("lib/python*/site-packages"):
        for path in (*_from_path_files(place), *_from_finders(place)):
            if path.is_absolute() and path.resolve().is_relative_to(root):
                found[WORKSPACE / path.resolve().relative_to(root)] = None
    return list(found)


def _from_path_files(place: Path) -> Iterator[Path]:
    for file in sorted(place.glob("*.pth")):
        for line in _text(file).splitlines():
            if line.startswith("/"):
                yield Path(line.strip())


def _from_finders(place: Path) -> Iterator[Path]:
    """Read the table of setuptools' import finder: package names and their directories."""
    for file in sorted(place.glob("__editable___*_finder.py")):
        for line in _text(file).splitlines():
            if line.startswith("MAPPING"):
                yield from (directory.parent for directory in _directories(line.partition("=")[2].strip()))


def _directories(table: str) -> list[Path]:
    try:
        value = ast.literal_eval(table)
    except (ValueError, SyntaxError):
        return []
    return [Path(path) for path in value.values() if isinstance(path, str)] if isinstance(value, dict) else []


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
