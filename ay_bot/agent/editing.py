"""The pair of architect and editor: one model says what to change, another writes the edits.

The idea is Aider's architect mode; here the editor's reply is applied by the same engine as any edit, all or nothing,
and goes back to the editor once if it can't be.
"""

from collections.abc import Callable
from typing import Final

from pydantic import Field

from ay_bot.agent import prompt
from ay_bot.agent.edits.formats import Format
from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.edit_text import EDIT_TEXT
from ay_bot.agent.tools.result import ToolResult, refused
from ay_bot.agent.tools.tool import Tool
from ay_bot.agent.tools.workbench import Refusal, Workbench
from ay_bot.protocol.conversation import AssistantMessage, Message, SystemMessage, ToolSpec, UserMessage
from ay_bot.protocol.messages import EditFormat, ModelFailure, ModelReply, ModelRequest

MOST_FILES: Final = 20
Ask = Callable[[ModelRequest], ModelReply | ModelFailure]


class ImplementArguments(Arguments):
    """What to change, and in which files; new ones are named too."""

    files: tuple[str, ...] = Field(description="array of paths", min_length=1, max_length=MOST_FILES)
    instructions: str = Field(description="string", min_length=1)


SPEC: Final = ToolSpec(
    name="implement",
    description="Have an editor change files. It sees these files and your instructions alone: say exactly what to "
    "change and how, with names",
    parameters={
        "type": "object",
        "properties": {
            "files": {"type": "array", "items": {"type": "string"}},
            "instructions": {"type": "string"},
        },
        "required": ["files", "instructions"],
    },
)


class Editor:
    """Asks the role `editor`; its `tool` is the only way in which an architect changes files."""

    def __init__(self, ask: Ask, form: EditFormat) -> None:
        self._ask = ask
        self._form: Format = "search_replace" if form == "auto" or form == "edit" else form  # noqa: PLR1714 - for mypy
        self._request_id = FIRST_REQUEST
        self.tool = Tool(SPEC, ImplementArguments, self._implement, _describe)

    def _implement(self, given: ImplementArguments, bench: Workbench) -> ToolResult:
        """Ask for the edits, and make them; what can't be made goes back once."""
        shown = "\n\n".join(_show(path, bench) for path in given.files)
        messages: list[Message] = [
            SystemMessage(content=prompt.build_editor_instructions(self._form)),
            UserMessage(content=prompt.build_editor_task(given.instructions, shown)),
        ]
        bench.held = ()
        result = self._try(messages, bench)
        return result if result.ok or result.failure == "model" else self._try(messages, bench)

    def _try(self, messages: list[Message], bench: Workbench) -> ToolResult:
        """Ask once, and keep what came of it for the next time."""
        answer = self._next(messages)
        if isinstance(answer, ModelFailure):
            return refused("model", f"error: the editor gave no answer: {answer.message}")
        result = EDIT_TEXT.run({"form": self._form, "text": answer.content}, bench)
        messages += [AssistantMessage(content=answer.content or "(empty)"), UserMessage(content=result.text)]
        return result

    def _next(self, messages: list[Message]) -> ModelReply | ModelFailure:
        self._request_id += 1
        return self._ask(ModelRequest(request_id=self._request_id, role="editor", messages=tuple(messages)))


FIRST_REQUEST: Final = 500_000
"""Numbers of the editor's requests begin here; the architect counts its own from 1."""


def _show(path: str, bench: Workbench) -> str:
    file = bench.readable(path)
    if not file.exists():
        return f"{path} does not exist yet"
    if not file.is_file() or file.stat().st_size > bench.output_limit * 4:
        msg = f"{path} is no file, or too long for an editor; give smaller ones"
        raise Refusal(msg)
    return prompt.show_file(path, file.read_bytes().decode("utf-8", "replace"))


def _describe(given: ImplementArguments) -> str:
    return f"{', '.join(given.files)}: {given.instructions}"
