"""The `search` tool: lines that match a regular expression, found by ripgrep or by Python where there is none."""

import os
import re
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path

from pydantic import Field

from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, plural, refused
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Refusal, Workbench

MAX_MATCHES = 100
MAX_PER_FILE = 30
MAX_COLUMNS = 300
TIMEOUT = 30.0
MATCH = re.compile(r".+?:\d+:")
GREP = Path(__file__).with_name("grep.py")


class SearchArguments(Arguments):
    """A regular expression, and where to look."""

    pattern: str = Field(description="regular expression")
    path: str = Field(default=".", description="file or directory")


def search(arguments: SearchArguments, bench: Workbench) -> ToolResult:
    """Give matching lines as path:line:text."""
    if not arguments.pattern or "\0" in arguments.pattern:
        msg = "the pattern is empty or holds a NUL"
        raise Refusal(msg)
    path = bench.readable(arguments.path)
    if not path.exists():
        return refused("missing", f"error: {arguments.path} does not exist")
    where = os.path.relpath(path, os.path.realpath(bench.root))
    per_file = MAX_PER_FILE if path.is_dir() else MAX_MATCHES
    build = _ripgrep if shutil.which("rg") else _python
    argv = build(arguments.pattern, where, per_file)
    ran = bench.run(shlex.join(argv), cwd=bench.root, timeout=TIMEOUT, head=bench.output_limit, tail=0)
    if ran.timed_out:
        return refused("timeout", f"error: the search took more than {TIMEOUT:.0f} s; narrow the pattern or the path")
    cut = ran.total_bytes > bench.output_limit
    lines = _whole_lines(ran.output, cut=cut)
    if ran.exit_code == 1 or not lines:
        return ToolResult("no matches", outcome="no matches")
    if ran.exit_code != 0 and not any(MATCH.match(line) for line in lines):
        return refused("search", "error: " + ran.output.strip()[:2_000])
    return _render(lines, per_file, cut=cut)


def _whole_lines(output: str, *, cut: bool) -> list[str]:
    """The lines of an output; where it was cut, without the note on that and the half line before it."""
    return output.rpartition("\n[... ")[0].split("\n")[:-1] if cut else output.splitlines()


def _render(lines: list[str], per_file: int, *, cut: bool) -> ToolResult:
    shown = [line.removeprefix("./") for line in lines[:MAX_MATCHES]]
    notes = []
    if cut or len(lines) > MAX_MATCHES:
        notes.append(f"[cut at {len(shown)} lines, there are more; narrow the pattern or the path]")
    most = max(Counter(line.partition(":")[0] for line in shown).values())
    if per_file < MAX_MATCHES and most >= per_file:
        notes.append(f"[at most {per_file} lines of each file are shown]")
    return ToolResult("\n".join(shown + notes), outcome=plural(len(shown), "match") + (" and more" if notes else ""))


def _ripgrep(pattern: str, where: str, per_file: int) -> list[str]:
    return [
        *("rg", "--no-config", "--no-heading", "--line-number", "--with-filename", "--color=never", "--hidden"),
        *("--glob=!.git", f"--max-columns={MAX_COLUMNS}", "--max-columns-preview", f"--max-count={per_file}"),
        *("--no-require-git", "--sort=path", f"--regexp={pattern}", "--", where),
    ]


def _python(pattern: str, where: str, per_file: int) -> list[str]:
    return [sys.executable, "-I", "-S", str(GREP), str(per_file), str(MAX_COLUMNS), pattern, where]


SEARCH = Tool(
    build_spec("search", "Find lines by regex", {"pattern": "string"}, {"path": "string"}),
    SearchArguments,
    search,
    lambda arguments: f"{arguments.pattern!r} in {arguments.path}",
)
