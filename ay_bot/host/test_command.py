"""How a repository's tests are run: what the user says, else what the files of the base commit show."""

import configparser
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ay_bot.errors import UsageError
from ay_bot.host.bounded_toml import read_toml
from ay_bot.host.checkout import Checkout
from ay_bot.host.objects import ObjectReader

_MOST_TEST_FILES = 200
_PLACEHOLDER = "no test specified"  # npm init writes a script that fails with these words


class DetectedTests(NamedTuple):
    """A command, and the file that speaks for it in words for people."""

    runner: str
    command: str
    evidence: str


class _Files(NamedTuple):
    """The base commit's files as the detectors see them."""

    names: frozenset[str]
    read: Callable[[str], str]
    python_tests: Mapping[str, str]  # contents of the files that are named like tests


def find_tests(given: str, checkout: Checkout, revision: str, notice: Callable[[str], None]) -> str:
    """Return the command that runs the tests: `given`, or what is detected, which `notice` is told."""
    if given:
        return given
    detected = detect(checkout, revision)
    if detected is None:
        msg = "no test command was given, and none was found for pytest, unittest, npm, go, cargo or make"
        raise UsageError(msg, hint="give one with `--test 'COMMAND'`, or `test:` in .github/ay-bot.yml")
    notice(f"Tests are run with `{detected.command}` ({detected.evidence}).")
    return detected.command


def detect(checkout: ObjectReader, revision: str) -> DetectedTests | None:
    """Return how the tests of a commit are run, judged by its files alone, or None."""
    files = _look_at(checkout, revision)
    detectors = (_detect_pytest, _detect_unittest, _detect_npm, _detect_go, _detect_cargo, _detect_make)
    return next((found for look in detectors if (found := look(files)) is not None), None)


def _look_at(checkout: ObjectReader, revision: str) -> _Files:
    names = sorted(path.decode("utf-8", "replace") for path in checkout.list_files(revision))
    tests = [name for name in names if re.fullmatch(r"test_.*\.py|.*_test\.py|tests?\.py", name.rpartition("/")[2])]
    contents = checkout.read_files(revision, [name.encode() for name in tests[:_MOST_TEST_FILES]])

    def read(name: str) -> str:
        return (checkout.read_file(revision, name) or b"").decode("utf-8", "replace")

    python_tests = {path.decode(): text.decode("utf-8", "replace") for path, text in contents.items()}
    return _Files(frozenset(names), read, python_tests)


def _detect_pytest(files: _Files) -> DetectedTests | None:
    evidence = next(_pytest_evidence(files), None)
    return DetectedTests("pytest", "python3 -m pytest -q", f"pytest: {evidence}") if evidence else None


def _pytest_evidence(files: _Files) -> Iterator[str]:
    yield from (f"there is a {name}" for name in ("pytest.ini", ".pytest.ini", "pytest.toml") if name in files.names)
    if "pyproject.toml" in files.names:
        yield from _pytest_in_pyproject(files.read("pyproject.toml"))
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if name in files.names and _has_section(files.read(name), section):
            yield f"{name} has [{section}]"
    yield from (f"there is a {name}" for name in sorted(files.names) if name.rpartition("/")[2] == "conftest.py")
    for name, text in sorted(files.python_tests.items()):
        if re.search(r"^\s*(?:import|from) pytest\b", text, re.MULTILINE):
            yield f"{name} imports it"
        if re.search(r"^(?:async )?def test_", text, re.MULTILINE):
            yield f"{name} has test functions outside classes"


def _pytest_in_pyproject(text: str) -> Iterator[str]:
    try:
        tool = read_toml(text).get("tool", {})
    except (ValueError, RecursionError):
        return
    if isinstance(tool, dict) and "pytest" in tool:
        yield "pyproject.toml has [tool.pytest]"


def _has_section(text: str, section: str) -> bool:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    return parser.has_section(section)


def _detect_unittest(files: _Files) -> DetectedTests | None:
    users = [name for name, text in files.python_tests.items() if re.search(r"\bunittest\b|\bTestCase\b", text)]
    if not users:
        return None
    first = min(users)
    directory = first.partition("/")[0] if "/" in first else ""
    # Test files in a directory that is no package are only found from inside it.
    inside = (
        f" -s {directory}" if directory in {"tests", "test"} and f"{directory}/__init__.py" not in files.names else ""
    )
    pattern = "" if first.rpartition("/")[2].startswith("test") else " -p '*_test.py'"
    return DetectedTests("unittest", f"python3 -m unittest discover{inside}{pattern}", f"unittest: {first} uses it")


def _detect_npm(files: _Files) -> DetectedTests | None:
    if "package.json" not in files.names:
        return None
    try:
        manifest = json.loads(files.read("package.json"))
    except (ValueError, RecursionError):
        return None
    scripts = manifest.get("scripts") if isinstance(manifest, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or not script.strip() or _PLACEHOLDER in script:
        return None
    return DetectedTests("npm", "npm test", "npm: package.json has a test script")


def _detect_go(files: _Files) -> DetectedTests | None:
    if "go.mod" not in files.names or not any(name.endswith("_test.go") for name in files.names):
        return None
    return DetectedTests("go", "go test ./...", "go: there are a go.mod and _test.go files")


def _detect_cargo(files: _Files) -> DetectedTests | None:
    if "Cargo.toml" not in files.names:
        return None
    return DetectedTests("cargo", "cargo test", "cargo: there is a Cargo.toml")


def _detect_make(files: _Files) -> DetectedTests | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if name not in files.names:
            continue
        text = files.read(name)
        for target in ("test", "check"):
            if re.search(rf"^{target}\s*:(?![=:])", text, re.MULTILINE):
                return DetectedTests("make", f"make {target}", f"make: {name} has the target {target}")
    return None
