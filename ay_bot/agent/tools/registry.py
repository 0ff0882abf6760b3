"""All tools by name, and which of them a task has."""

from typing import Final

from ay_bot.agent.tools.edit import EDIT
from ay_bot.agent.tools.finish import ANSWER, FINISH
from ay_bot.agent.tools.job import JOB
from ay_bot.agent.tools.patch import APPLY_PATCH
from ay_bot.agent.tools.plan import PLAN
from ay_bot.agent.tools.read import READ
from ay_bot.agent.tools.run_tests import RUN_TESTS
from ay_bot.agent.tools.search import SEARCH
from ay_bot.agent.tools.shell import SHELL
from ay_bot.agent.tools.tool import Offered
from ay_bot.protocol.conversation import ToolSpec
from ay_bot.protocol.messages import WorkMode

TOOLS: Final[dict[str, Offered]] = {
    tool.spec.name: tool for tool in (READ, SEARCH, EDIT, APPLY_PATCH, SHELL, JOB, RUN_TESTS, PLAN, FINISH)
}
SPECS: Final[tuple[ToolSpec, ...]] = tuple(tool.spec for tool in TOOLS.values())
READING: Final[dict[str, Offered]] = {tool.spec.name: tool for tool in (READ, SEARCH, SHELL, RUN_TESTS, ANSWER)}
"""The tools of a task that asks for an answer; what its shell may change is never asked for."""


def choose_tools(mode: WorkMode, *more: Offered) -> dict[str, Offered]:
    """Return the tools of a task, by name."""
    return {**(TOOLS if mode == "change" else READING), **{tool.spec.name: tool for tool in more}}
