"""The key of a set-up image: a digest of all that a set-up may depend on, and that nobody else can give it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from ay_bot.host.egress.rules import NetworkPolicy
from ay_bot.host.objects import TreeEntry
from ay_bot.host.setup import FORMAT

KEY_LENGTH: Final = 32
MOST_FILES: Final = 5_000

_NAMES: Final = frozenset(
    """
    poetry.lock uv.lock pdm.lock Pipfile Pipfile.lock pyproject.toml setup.py setup.cfg environment.yml environment.yaml
    conda-lock.yml pixi.toml pixi.lock .python-version
    package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml pnpm-workspace.yaml bun.lock bun.lockb
    deno.json deno.lock .npmrc .yarnrc .yarnrc.yml .nvmrc .node-version
    Cargo.toml Cargo.lock rust-toolchain rust-toolchain.toml
    go.mod go.sum go.work go.work.sum
    Gemfile Gemfile.lock .ruby-version
    composer.json composer.lock
    pom.xml build.gradle build.gradle.kts settings.gradle settings.gradle.kts gradle.properties gradle.lockfile
    gradle-wrapper.properties libs.versions.toml
    mix.exs mix.lock pubspec.yaml pubspec.lock Package.swift Package.resolved packages.lock.json global.json
    .tool-versions mise.toml .mise.toml apt.txt Aptfile
    """.split()  # noqa: SIM905 - a table
)
_PATTERNS: Final = ("*requirements*.txt", "*requirements*.in", "constraints*.txt", "*.gemspec", "*.csproj", "*.fsproj")
_REQUIREMENTS: Final = re.compile(r"(?:^|/)requirements/[^/]+\.(?:txt|in)$")
_RUNNERS: Final = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
}
_WORD: Final = re.compile(r"[\w./@+-]+")


@dataclass(frozen=True)
class Recipe:
    """All that a set-up image follows from. `scope` is empty for trees that may share images; see `scope_of`.

    `repository` is where the tree is from: a set-up runs more of it than its lock files.
    """

    image: str
    commands: tuple[str, ...]
    network: NetworkPolicy
    files: tuple[tuple[str, str, str], ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    scope: str = ""
    repository: str = ""

    def key(self) -> str:
        """Return the digest."""
        parts = {
            "format": FORMAT,
            "image": self.image,
            "commands": self.commands,
            "network": self.network.model_dump(mode="json"),
            "files": sorted(self.files),
            "environment": dict(sorted(self.environment.items())),
            "scope": self.scope,
            "repository": self.repository,
        }
        written = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(written.encode()).hexdigest()[:KEY_LENGTH]


def scope_of(tree: str, trusted_tree: str) -> str:
    """Return what keeps the images of other people's trees apart: nothing for the trusted commit, else the tree.

    A set-up runs code of the tree (`setup.py`, `postinstall`), not its lock files alone. If the head of a pull request
    shared the key of the branch that it is for, its author could write what later runs on that branch are made of.
    """
    return "" if tree == trusted_tree else tree


def find_key_files(files: Mapping[bytes, TreeEntry], commands: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Return path, mode and id of the files that a set-up depends on: by their names, or named by its commands.

    The directories at the top come with them, without what is in them: an editable install knows its packages by name.
    """
    named = _named(files, commands)
    chosen = [path for path in sorted(files) if path in named or is_key_file(path)]
    told = [(repr(path), files[path].mode, files[path].object_id) for path in chosen[:MOST_FILES]]
    return (*told, *(("directory", "", repr(name)) for name in sorted(_top_directories(files))))


def _top_directories(files: Mapping[bytes, TreeEntry]) -> set[bytes]:
    parts = (path.split(b"/") for path in files if b"/" in path)
    return {b"/".join(part[:2]) if part[0] == b"src" and len(part) > 2 else part[0] for part in parts}


def is_key_file(path: bytes) -> bool:
    """Say whether a path is a lock file, or another that says what is to be installed."""
    text = path.decode("utf-8", "backslashreplace")
    parts = PurePosixPath(text)
    if "node_modules" in parts.parts:
        return False
    name = parts.name
    return (
        name in _NAMES
        or any(fnmatchcase(name, pattern) for pattern in _PATTERNS)
        or _REQUIREMENTS.search(text) is not None
    )


def _named(files: Mapping[bytes, TreeEntry], commands: Sequence[str]) -> frozenset[bytes]:
    """Return the files that the commands name, and what a runner that they call reads."""
    found: set[bytes] = set()
    for word in {word for command in commands for word in _WORD.findall(command)}:
        names = (word, *_RUNNERS.get(word, ()))
        paths = {str(PurePosixPath(name.removeprefix("/work/"))).encode() for name in names}
        found |= paths & files.keys()
    return frozenset(found)
