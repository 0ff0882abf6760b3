"""A repository's Dockerfile: what of the repository its build reads, so that a change of that makes a new image."""

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from ay_bot.errors import UsageError

LARGEST: Final = 256 * 1024
_DIRECTIVE: Final = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_INSTRUCTION: Final = re.compile(r"\s*(?:ONBUILD\s+)?(COPY|ADD)\s+(.*)", re.IGNORECASE | re.DOTALL)
_FLAG: Final = re.compile(r"--(\w+)(?:=(\S+))?\s+")
_PATTERN: Final = frozenset("*?[$<\\")
_ADDRESS: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://|git@")


def find_sources(content: bytes, path: str) -> tuple[str, ...] | None:
    """Return the paths of the context that a build reads, None for all of it. Raises UsageError.

    A `FROM` that the engine lacks is pulled by the engine itself. An `ADD` of an address would be fetched by it, too,
    past the policy of the build, so that is refused.
    """
    if len(content) > LARGEST:
        raise UsageError(f"{path} is larger than {LARGEST // 1024} KiB", hint="name another Dockerfile")
    found: list[str] = []
    for name, rest in _instructions(content.decode("utf-8", "replace")):
        sources = _read_sources(rest)
        if sources is None:
            continue
        if name == "ADD" and any(_ADDRESS.match(source) or "$" in source for source in sources):
            what = f"{path} has an ADD from an address, which the engine would fetch without the network policy"
            raise UsageError(what, hint="fetch it in a RUN step, which reaches what `network.setup` allows")
        found += sources
    normal = [str(PurePosixPath(source.lstrip("/") or ".")) for source in found]
    if any(source == "." or _PATTERN & set(source) or ".." in PurePosixPath(source).parts for source in normal):
        return None
    return tuple(dict.fromkeys(normal))


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield COPY and ADD with all that follows them, their lines joined."""
    escape = "\\"
    if first := _DIRECTIVE.match(text):
        escape = first[1]
    line = ""
    for raw in text.splitlines():
        if raw.lstrip().startswith("#") or (line and not raw.strip()):
            continue
        line += raw.rstrip()
        if line.endswith(escape):
            line = line[:-1] + " "
            continue
        if found := _INSTRUCTION.fullmatch(line):
            yield found[1].upper(), found[2]
        line = ""
    if line and (found := _INSTRUCTION.fullmatch(line)):
        yield found[1].upper(), found[2]


def _read_sources(rest: str) -> list[str] | None:
    """Return what an instruction copies from the context; None where it copies from another stage or image."""
    while flag := _FLAG.match(rest):
        if flag[1].lower() == "from":
            return None
        rest = rest[flag.end() :]
    rest = rest.strip()
    if rest.startswith("["):
        try:
            words = [str(word) for word in json.loads(rest)]
        except (ValueError, RecursionError):
            return ["."]
    else:
        words = rest.split()
    return words[:-1]
