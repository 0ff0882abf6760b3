"""The `run_tests` tool: the run's own test command, with its failures first."""

import re

from ay_bot.agent.tools.arguments import Arguments
from ay_bot.agent.tools.result import ToolResult, refused
from ay_bot.agent.tools.shell import exit_note
from ay_bot.agent.tools.tool import Tool, build_spec
from ay_bot.agent.tools.workbench import Ran, Workbench

SHOWN = 12_000
LEDGER_SHARE = 2_000  # characters of the last result that a condensed conversation keeps
# Where the part that matters begins: pytest, unittest, cargo, Jest, go, RSpec, Mocha, PHPUnit, node, vitest, Maven,
# Gradle, .NET, and compilers that never came to the tests.
FAILURES = re.compile(
    r"^=+ (?:FAILURES|ERRORS) =+$|^(?:FAIL|ERROR): |^failures:$|^\s*● |^\s*--- FAIL: |^panic: |^Failures:$"
    r"|^\s+\d+ failing$|^There (?:was|were) \d+ (?:failure|error)s?:$|^not ok |^✖ failing tests:|^⎯+ Failed Tests"
    r"|^ FAIL  |^\[ERROR\] (?:Tests run:|\S*\.\w+:)|^\S+ > .* FAILED$|^\s*Failed \S+ \["
    r"|^error(?:\[E\d+\])?: |^\S+:\d+:\d+: error: ",
    re.MULTILINE,
)
# One line per known runner that says how many tests passed and failed.
COUNTS = re.compile(
    r"^=* ?((?:\d+ (?:failed|passed|skipped|errors?|deselected|xfailed|xpassed|warnings?)(?:, )?)+)[^\n]*$"
    r"|^(Ran \d+ tests? in [^\n]*)$|^(FAILED \([^\n]*\)|OK(?: \([^\n]*\))?)$|^(Tests:\s+[^\n]*\d+ total)$"
    r"|^(test result: [^\n]*?failed)|^\s*(\d+ passing[^\n]*)$|^(\d+ examples?, \d+ failures?[^\n]*)$"
    r"|^(Tests: \d+, Assertions: [^\n]*)$|^(?:\[\w+\] )?(Tests run: \d+, [^\n]*)$|^\s*(Tests  [^\n]*\(\d+\))$",
    re.MULTILINE,
)
PASSED = re.compile(r"(\d+) pass(?:ed|ing)")


class RunTestsArguments(Arguments):
    """Nothing: the command is the run's."""


def run_tests(_: RunTestsArguments, bench: Workbench) -> ToolResult:
    """Run the test command."""
    if not bench.test_command:
        return refused("no_tests", "error: no test command is configured; use shell")
    log = bench.next_log()
    ran = bench.run(
        bench.test_command,
        cwd=bench.root,
        timeout=bench.test_timeout,
        head=bench.output_limit,
        tail=bench.output_limit,
        log=log,
    )
    passed = ran.exit_code == 0 and not ran.timed_out
    counts = count_tests(ran.output)
    verdict = ("tests passed" if passed else f"tests FAILED, {exit_note(ran, bench.test_timeout)}") + (
        f": {counts}" if counts else ""
    )
    if passed:
        bench.failed_edits.struggling = False
        body, where = "" if counts else _tail(ran.output, 600), ""
    else:
        limit = min(SHOWN, bench.output_limit)
        body = _failures(ran, limit)
        where = f"\n[whole output: {log}]" if ran.total_bytes > limit else ""
    bench.tests = f"{verdict}\n{body}"[:LEDGER_SHARE].strip()
    text = f"{verdict}\n{body}{where}" if body else verdict
    number = PASSED.search(counts)
    return ToolResult(text, outcome=verdict, ok=passed, passed=int(number[1]) if number else None)


def count_tests(output: str) -> str:
    """What the runner said last about how many passed and failed; empty where it is not known."""
    found = ["".join(groups).strip(" =") for groups in COUNTS.findall(output)]
    return "; ".join(found[-2:] if found and found[-1].startswith(("FAILED (", "OK")) else found[-1:])


def _failures(ran: Ran, limit: int) -> str:
    output = ran.output.strip()
    start = FAILURES.search(output)
    if start is None:
        return _tail(output, limit)
    failures = output[start.start() :]
    if len(failures) <= limit:
        return failures
    tail = limit // 3
    return f"{failures[: limit - tail]}\n[… {len(failures) - limit:,} characters left out …]\n{failures[-tail:]}"


def _tail(output: str, limit: int) -> str:
    output = output.strip()
    if len(output) <= limit:
        return output
    return "…" + output[-limit:].partition("\n")[2]


RUN_TESTS = Tool(build_spec("run_tests", "Run the test suite", {}), RunTestsArguments, run_tests, lambda _: "")
