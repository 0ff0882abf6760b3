"""All tools by name."""

from typing import Final

from ay_bot.agent.tools.edit import EDIT
from ay_bot.agent.tools.finish import FINISH
from ay_bot.agent.tools.patch import APPLY_PATCH
from ay_bot.agent.tools.read import READ
from ay_bot.agent.tools.run_tests import RUN_TESTS
from ay_bot.agent.tools.search import SEARCH
from ay_bot.agent.tools.shell import SHELL
from ay_bot.agent.tools.tool import Offered
from ay_bot.protocol.conversation import ToolSpec

TOOLS: Final[dict[str, Offered]] = {
    tool.spec.name: tool for tool in (READ, SEARCH, EDIT, APPLY_PATCH, SHELL, RUN_TESTS, FINISH)
}
SPECS: Final[tuple[ToolSpec, ...]] = tuple(tool.spec for tool in TOOLS.values())
