"""Which command lints or updates a repository, by the files of its base commit."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ay_bot.host.checkout import Checkout


class Files(NamedTuple):
    """The files of a commit: their names, and what one holds ("" where it is not there)."""

    names: frozenset[str]
    read: Callable[[str], str]

    def holds(self, name: str, pattern: str) -> bool:
        """Whether a file is there and has a line that begins with the pattern."""
        return name in self.names and re.search(rf"^{pattern}", self.read(name), re.MULTILINE) is not None

    def any_of(self, *names: str) -> bool:
        """Whether one of these is at the root."""
        return not self.names.isdisjoint(names)


def files_of(checkout: Checkout, revision: str) -> Files:
    """Return the files of a commit."""
    names = frozenset(path.decode("utf-8", "replace") for path in checkout.list_files(revision))
    return Files(names, lambda name: (checkout.read_file(revision, name) or b"").decode("utf-8", "replace"))


def find_linters(files: Files) -> tuple[str, ...]:
    """Return the commands that look for lint and type errors; what the project has itself comes before any guess."""
    for name in ("Makefile", "makefile", "GNUmakefile"):
        if files.holds(name, r"lint\s*:(?![=:])"):
            return ("make lint",)
    return tuple(_linters(files))


def _linters(files: Files) -> Iterator[str]:
    if files.any_of("ruff.toml", ".ruff.toml") or files.holds("pyproject.toml", r"\[tool\.ruff\b"):
        yield "ruff check ."
    if files.any_of(".flake8") or files.holds("setup.cfg", r"\[flake8\]"):
        yield "flake8"
    if files.any_of("mypy.ini", ".mypy.ini") or files.holds("setup.cfg", r"\[mypy\]"):
        yield "mypy ."
    elif files.holds("pyproject.toml", r"\[tool\.mypy\b"):
        yield "mypy ." if not files.holds("pyproject.toml", r"\s*(?:files|packages)\s*=") else "mypy"
    if files.any_of("pyrightconfig.json") or files.holds("pyproject.toml", r"\[tool\.pyright\b"):
        yield "pyright"
    yield from _node_linters(files)
    if "Cargo.toml" in files.names:
        yield "cargo clippy --offline --all-targets -- -D warnings"
    if "go.mod" in files.names:
        yield "go vet ./..."
    if ".rubocop.yml" in files.names:
        yield "bundle exec rubocop"


def _node_linters(files: Files) -> Iterator[str]:
    scripts = _read_scripts(files)
    if "lint" in scripts:
        yield "npm run lint"
    elif any(name.startswith((".eslintrc", "eslint.config.")) for name in files.names):
        yield "npx --no-install eslint ."
    if "typecheck" in scripts:
        yield "npm run typecheck"
    elif "tsconfig.json" in files.names:
        yield "npx --no-install tsc --noEmit"


def _read_scripts(files: Files) -> Mapping[str, object]:
    try:
        manifest = json.loads(files.read("package.json") or "{}")
    except (ValueError, RecursionError):
        return {}
    scripts = manifest.get("scripts") if isinstance(manifest, dict) else None
    return scripts if isinstance(scripts, dict) else {}


_UPDATERS = (
    ("uv.lock", "uv lock --upgrade"),
    ("poetry.lock", "poetry update --lock"),
    ("pdm.lock", "pdm update --no-sync"),
    ("Pipfile.lock", "pipenv update"),
    ("pnpm-lock.yaml", "pnpm update"),
    ("yarn.lock", "yarn upgrade"),
    ("package-lock.json", "npm update"),
    ("Cargo.lock", "cargo update"),
    ("go.mod", "go get -u ./... && go mod tidy"),
    ("Gemfile.lock", "bundle update"),
    ("composer.lock", "composer update"),
)


def find_updaters(files: Files) -> tuple[str, ...]:
    """Return the commands that update dependencies, by the lock files at the root and the .in files of pip-tools."""
    compiled = [
        f"pip-compile --upgrade {name}"
        for name in sorted(files.names)
        if re.fullmatch(r"(?:requirements/)?[\w.-]+\.in", name) and f"{name.removesuffix('.in')}.txt" in files.names
    ]
    return (*(command for name, command in _UPDATERS if name in files.names), *compiled)
