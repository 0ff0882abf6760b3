"""Whatever starts a process says which environment it gets: keys of this one are in no other by accident."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "ay_bot"
STARTERS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "os": {"system", "popen", "posix_spawn", "posix_spawnp", "startfile"},
    "pty": {"spawn"},
    "multiprocessing": {"Process", "Pool"},
}
BEGINNINGS = ("exec", "spawn")  # of os
WITH_ENVIRONMENT = {"execve", "execvpe", "posix_spawn", "posix_spawnp", "spawnve", "spawnvpe"}
WHOLE = {"os.environ", "os.environ.copy()", "dict(os.environ)", "environment()", "dict(environment())", "None"}


def starts(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call that starts a process, under whatever name its module was imported."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            head, _, rest = ast.unparse(node.func).partition(".")
            module, _, function = f"{names.get(head, head)}{'.' if rest else ''}{rest}".rpartition(".")
            executes = module == "os" and function.startswith(BEGINNINGS)
            if function in STARTERS.get(module, ()) or executes:
                yield node, function


def fault_of(call: ast.Call, function: str) -> str:
    """Why a call may hand on the whole environment, or nothing."""
    given = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg == "env"]
    if function in WITH_ENVIRONMENT and len(call.args) >= 3:
        given.append(ast.unparse(call.args[2]))
    if not given:
        return "says nothing of the environment"
    return f"hands on {given[0]}" if given[0] in WHOLE or "**os.environ" in given[0] else ""


def test_at_21_every_child_process_gets_an_environment_made_for_it():
    found, faults = 0, []
    for path in sorted(SOURCES.rglob("*.py")):
        for call, function in starts(ast.parse(path.read_text(encoding="utf-8"))):
            found += 1
            if fault := fault_of(call, function):
                faults.append(f"{path.relative_to(SOURCES.parent)}:{call.lineno} {fault}")
    assert faults == []
    assert found >= 8, "the calls are there, and this test finds them"


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ("import subprocess\nsubprocess.run(['x'])", True),
        ("import subprocess\nsubprocess.run(['x'], env=os.environ)", True),
        ("import subprocess\nsubprocess.run(['x'], env={**os.environ, 'A': ''})", True),
        ("import subprocess\nsubprocess.run(['x'], env=None)", True),
        ("import subprocess as s\ns.Popen(['x'])", True),
        ("from subprocess import check_output as run\nrun(['x'])", True),
        ("import os\nos.system('x')", True),
        ("import os\nos.execvp('x', ['x'])", True),
        ("import asyncio\nasyncio.create_subprocess_exec('x')", True),
        ("import subprocess\nsubprocess.run(['x'], env={})", False),
        ("import os\nos.execvpe('x', ['x'], made)", False),
        ("def run(): ...\nrun(['x'])", False),
    ],
)
def test_a_call_without_one_is_found(text, faulty):
    assert any(fault_of(*start) for start in starts(ast.parse(text))) is faulty
