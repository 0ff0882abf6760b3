"""A tool: how a model is told of it, what it takes, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol

from ay_bot.agent.tools.arguments import Arguments, Taken, parse_arguments
from ay_bot.agent.tools.result import ToolResult, one_line, refused
from ay_bot.agent.tools.workbench import Refusal, Workbench
from ay_bot.protocol.conversation import ToolSpec


class Offered(Protocol):
    """A tool, whatever it takes."""

    @property
    def spec(self) -> ToolSpec:
        """How the model is told of it."""
        ...

    @property
    def arguments(self) -> type[Arguments]:
        """What it takes."""
        ...

    @property
    def parallel(self) -> bool:
        """Whether several calls of it may run at once."""
        ...

    def describe(self, values: dict[str, object]) -> str:
        """One line for people about a call."""
        ...

    def run(self, values: dict[str, object], bench: Workbench) -> ToolResult:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Tool(Generic[Taken]):
    """One tool. `spec` is written by hand, because every request carries it."""

    spec: ToolSpec
    arguments: type[Taken]
    action: Callable[[Taken, Workbench], ToolResult]
    summary: Callable[[Taken], str]
    parallel: bool = False

    def describe(self, values: dict[str, object]) -> str:
        """One line for people about a call; the arguments may be wrong."""
        try:
            return one_line(self.summary(parse_arguments(self.arguments, values)))
        except Refusal:
            return "(arguments that can't be read)"

    def run(self, values: dict[str, object], bench: Workbench) -> ToolResult:
        """Do it; what the model got wrong comes back as a result."""
        try:
            return self.action(parse_arguments(self.arguments, values), bench)
        except Refusal as refusal:
            return refused("refused", f"error: {refusal}")
        except OSError as error:
            name = f"{error.filename!r}: " if error.filename else ""
            return refused("os", f"error: {name}{error.strerror or error}")


def build_spec(
    name: str, description: str, required: dict[str, str], optional: dict[str, str] | None = None
) -> ToolSpec:
    """A spec whose parameters are plain types, without titles and defaults: tokens are paid for on every request."""
    types = {**required, **(optional or {})}
    return ToolSpec(
        name=name,
        description=description,
        parameters={
            "type": "object",
            "properties": {field: {"type": kind} for field, kind in types.items()},
            "required": list(required),
        },
    )
