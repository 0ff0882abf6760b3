"""What a run's agent is told of the repository before it begins: a map of it, and files."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ay_bot.protocol.conversation import Value
from ay_bot.protocol.layers import Layer
from ay_bot.protocol.messages import TokensPerByte

Tokens = Annotated[int, Field(ge=0, le=100_000_000)]


class Place(Value):
    """Where a plan's repository is: a git directory, a commit, and the tree of it that the agent sees.

    `outlined` says whether the repository is read at all; `encodings` are those that will be counted with.
    """

    git_dir: Path
    commit: str
    tree: str
    cache: Path
    name: str
    outlined: bool = True
    encodings: tuple[str, ...] = ()


class Wish(Value):
    """What a plan is made for. `load` are patterns as in .gitignore; `encodings` are the model's, or empty for any."""

    task: str
    instructions: str = ""
    map_tokens: Tokens = 0
    load: tuple[str, ...] = ()
    file_tokens: Tokens = 0
    encodings: tuple[str, ...] = ()


class Plan(Value):
    """The map, and the paths of the files with their tokens, out of `asked_for` that patterns named.

    `layer_rates` are the tokens of a byte in what an agent begins with, as far as the model's own encoding is known;
    `tokens_per_byte` is what they come to together, 0 where that is unknown.
    """

    map: str = ""
    load: tuple[str, ...] = ()
    asked_for: int = 0
    sizes: tuple[Tokens, ...] = ()
    tokens_per_byte: Annotated[float, Field(ge=0, le=1)] = 0.0
    layer_rates: dict[Layer, TokensPerByte] = {}


def cache_directory(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Return where what is read of repositories is kept: as told, or in the user's cache directory."""
    if given is not None:
        return given
    home = environment.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".cache") / "ay-bot" / "outline"


def name_place(git_dir: Path) -> str:
    """Return the name of a repository in the cache."""
    return sha256(bytes(git_dir.resolve())).hexdigest()[:16]
