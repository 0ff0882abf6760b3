import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from git_repositories import checkout_of, make_repository, write_files

from ay_bot.errors import UsageError
from ay_bot.host.test_command import detect, find_tests

PYTEST = "python3 -m pytest -q"
UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_x(self): pass\n"
PACKAGE = json.dumps({"scripts": {"test": "jest"}})
PLACEHOLDER = json.dumps({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}})


@pytest.mark.parametrize(
    ("files", "command", "evidence"),
    [
        ({"pytest.ini": ""}, PYTEST, "pytest: there is a pytest.ini"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, PYTEST, "pytest: pyproject.toml has [tool.pytest]"),
        ({"pyproject.toml": "[tool.pytest]\nstrict = true\n"}, PYTEST, "pytest: pyproject.toml has [tool.pytest]"),
        ({"tox.ini": "[tox]\n[pytest]\n"}, PYTEST, "pytest: tox.ini has [pytest]"),
        ({"setup.cfg": "[tool:pytest]\naddopts = -q\n"}, PYTEST, "pytest: setup.cfg has [tool:pytest]"),
        ({"tests/conftest.py": ""}, PYTEST, "pytest: there is a tests/conftest.py"),
        ({"tests/test_a.py": "import pytest\n"}, PYTEST, "pytest: tests/test_a.py imports it"),
        ({"a_test.py": "def test_a(): pass\n"}, PYTEST, "pytest: a_test.py has test functions outside classes"),
        ({"tests/test_a.py": UNITTEST}, "python3 -m unittest discover -s tests", "unittest: tests/test_a.py uses it"),
        (
            {"tests/__init__.py": "", "tests/test_a.py": UNITTEST},
            "python3 -m unittest discover",
            "unittest: tests/test_a.py uses it",
        ),
        ({"test_a.py": UNITTEST}, "python3 -m unittest discover", "unittest: test_a.py uses it"),
        ({"package.json": PACKAGE}, "npm test", "npm: package.json has a test script"),
        ({"go.mod": "module x", "a_test.go": ""}, "go test ./...", "go: there are a go.mod and _test.go files"),
        ({"Cargo.toml": "[package]"}, "cargo test", "cargo: there is a Cargo.toml"),
        ({"Makefile": "all:\n\ntest: all\n\ttrue\n"}, "make test", "make: Makefile has the target test"),
        ({"Makefile": "check:\n\ttrue\n"}, "make check", "make: Makefile has the target check"),
        ({"pytest.ini": "", "package.json": PACKAGE, "Makefile": "test:\n"}, PYTEST, "pytest: there is a pytest.ini"),
        ({"package.json": PLACEHOLDER, "Makefile": "test:\n"}, "make test", "make: Makefile has the target test"),
    ],
)
def test_detects(tmp_path: Path, files: Mapping[str, str], command: str, evidence: str) -> None:
    with checkout_of(make_repository(tmp_path / "repo", files), tmp_path / "scratch") as checkout:
        found = detect(checkout, checkout.repository.head)
    assert found is not None
    assert (found.command, found.evidence) == (command, evidence)


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": "x = 1\n"},
        {"pyproject.toml": "[tool.ruff]\n"},
        {"pyproject.toml": "not toml ["},
        {"pyproject.toml": "tool = 3\n"},
        {"setup.cfg": "no section\n"},
        {"package.json": "[1"},
        {"package.json": '{"scripts": []}'},
        {"package.json": PLACEHOLDER},
        {"go.mod": "module x"},
        {"Makefile": "test := 1\ntests:\n"},
    ],
)
def test_finds_nothing_where_there_is_nothing(tmp_path: Path, files: Mapping[str, str]) -> None:
    with checkout_of(make_repository(tmp_path / "repo", files), tmp_path / "scratch") as checkout:
        assert detect(checkout, checkout.repository.head) is None
        with pytest.raises(UsageError, match="no test command") as caught:
            find_tests("", checkout, checkout.repository.head, lambda _: None)
    assert "--test" in caught.value.hint


def test_reads_the_commit_and_not_the_work_tree(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a.py": "x = 1\n"})
    write_files(repository, {"pytest.ini": "[pytest]\n"})
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        assert detect(checkout, checkout.repository.head) is None


def test_what_the_user_says_wins_and_what_is_found_is_said(tmp_path: Path) -> None:
    told: list[str] = []
    with checkout_of(make_repository(tmp_path / "repo", {"pytest.ini": ""}), tmp_path / "scratch") as checkout:
        assert find_tests("tox", checkout, checkout.repository.head, told.append) == "tox"
        assert told == []
        assert find_tests("", checkout, checkout.repository.head, told.append) == PYTEST
    assert told == [f"Tests are run with `{PYTEST}` (pytest: there is a pytest.ini)."]
