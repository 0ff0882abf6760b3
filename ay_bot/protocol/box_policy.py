"""What an agent may read, write and run inside its box, as data that travels with its task."""

from typing import Annotated

from pydantic import Field

from ay_bot.protocol.command_rules import CommandPolicy
from ay_bot.protocol.conversation import Value

Patterns = Annotated[tuple[str, ...], Field(max_length=1000)]


class GuardedPaths(Value):
    """Paths that patterns as in .gitignore name, whatever their letter case, and the reason why they are guarded.

    `rule` says where the patterns come from, for a person who wants to change that.
    """

    patterns: Patterns
    reason: str = ""
    rule: str = ""


class BoxPolicy(Value):
    """The whole. `closed` is what may not leave the box, `hidden` what isn't in it; `only` limits what may change."""

    closed: tuple[GuardedPaths, ...] = ()
    hidden: tuple[GuardedPaths, ...] = ()
    only: Patterns = ()
    commands: CommandPolicy = CommandPolicy()
