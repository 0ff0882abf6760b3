"""The files by which a step tells the runner something: its outputs and its summary; nobody can forge a line."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from ay_bot.errors import UsageError
from ay_bot.host.plain_text import clean_line
from ay_bot.protocol.conversation import Value

OutputName = Literal["status", "pull-request-url", "branch", "cost-usd", "bundle"]
OUTPUT_NAMES: tuple[OutputName, ...] = get_args(OutputName)
LONGEST_VALUE = 4_000
LONGEST_SUMMARY = 1_000_000  # the runner takes 1 MiB, in bytes
_CUT = "\n\n… the rest of this summary was left out: it is longer than the runner takes.\n"


class Outputs(Value):
    """The outputs of the Action, whose names action.yml has to list; empty where there is nothing to tell."""

    status: str
    pull_request_url: str = ""
    branch: str = ""
    cost_usd: float | None = None
    bundle: str = ""

    def values(self) -> dict[OutputName, str]:
        """Return what each output holds."""
        return {
            "status": self.status,
            "pull-request-url": self.pull_request_url,
            "branch": self.branch,
            "cost-usd": "" if self.cost_usd is None else f"{self.cost_usd:.6f}",
            "bundle": self.bundle,
        }


def render_outputs(values: Mapping[OutputName, str]) -> str:
    """Return the lines for GITHUB_OUTPUT. Each value is one line, and ends at a delimiter that nobody can know."""
    return "".join(_render_output(name, clean_line(value[:LONGEST_VALUE])) for name, value in values.items())


def write_outputs(path: Path | None, outputs: Outputs) -> None:
    """Append the outputs to the runner's file, where there is one."""
    _append(path, render_outputs(outputs.values()))


def write_summary(path: Path | None, markdown: str) -> None:
    """Append to the summary of the job, where there is a file for it."""
    _append(path, bound_summary(markdown))


def bound_summary(markdown: str) -> str:
    """Return a summary that the runner takes: it refuses a longer one as a whole."""
    raw = markdown.encode("utf-8", "replace")
    if len(raw) <= LONGEST_SUMMARY:
        return raw.decode("utf-8")
    room = LONGEST_SUMMARY - len(_CUT.encode())
    return raw[:room].decode("utf-8", "ignore") + _CUT


def _render_output(name: OutputName, value: str) -> str:
    delimiter = f"ay-bot-{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        msg = f"the runner's file can't be written: {error}"
        raise UsageError(msg, hint="GITHUB_OUTPUT and GITHUB_STEP_SUMMARY have to name writable files") from None
