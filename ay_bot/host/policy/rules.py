"""The repository's own rules on files, as its configuration says them; those on commands live in the protocol."""

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from ay_bot.protocol.conversation import Value

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

Tier = Literal["never", "review", "open"]
Pattern = Annotated[str, Field(min_length=1, max_length=256)]
Examples = Annotated[tuple[Pattern, ...], Field(max_length=50)]
OWN_RULE = "the repository's settings guard it"
UNSEEN = "the repository's settings keep it from agents"


class FileRule(Value):
    """What holds for the files that patterns name. Rules only ever add to one another and to the built-in ones."""

    paths: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=200)]
    """Patterns as in .gitignore; letter case doesn't matter."""
    read: Literal["allow", "deny"] = "allow"
    """`deny` leaves the files out of the agent's box. Boxes that only run tests have them."""
    write: Tier = "open"
    """`never` keeps a change of the files inside the box, `review` makes the pull request a draft."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why; people and the agent are told."""
    match: Examples = ()
    """Paths that the rule must name; a rule that doesn't is a mistake in the configuration."""
    not_match: Examples = ()
    """Paths that the rule must not name."""

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        shown = f"the rule for {', '.join(self.paths)}"
        if problem := find_pattern_fault(self.paths):
            raise ValueError(f"{shown} holds no pattern as in .gitignore: {problem}")
        if self.read == "allow" and self.write == "open":
            raise ValueError(f"{shown} says nothing: give it `read: deny`, `write: review` or `write: never`")
        for example in self.match:
            if not self.names(example):
                raise ValueError(f"{shown} does not match its own example `{example}`")
        for example in self.not_match:
            if self.names(example):
                raise ValueError(f"{shown} matches `{example}`, which it must not")
        return self

    @property
    def tier(self) -> Tier:
        """How a change is guarded: what the agent can't see it can't change sensibly either."""
        return "never" if self.read == "deny" else self.write

    @property
    def why(self) -> str:
        """The reason, in any case."""
        return self.reason or (UNSEEN if self.read == "deny" else OWN_RULE)

    def names(self, path: str) -> bool:
        """Whether the rule is about a path."""
        return bool(compile_patterns(tuple(pattern.casefold() for pattern in self.paths)).match_file(path.casefold()))


@lru_cache(maxsize=64)
def compile_patterns(patterns: tuple[str, ...]) -> "GitIgnoreSpec":
    """Return what matches paths as .gitignore does. Raises ValueError."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def find_pattern_fault(patterns: tuple[str, ...]) -> str:
    """Return what is wrong with patterns, nothing where they are fine."""
    try:
        compile_patterns(patterns)
    except ValueError as error:
        return str(error)
    return ""
