"""Which files of a repository are tests or configure them: those that verification takes from the base commit."""

import re
from fnmatch import fnmatchcase

_TEST_DIRECTORIES = frozenset({"tests", "__tests__", "__mocks__", "__snapshots__", "spec", "specs", "testdata", "e2e"})
_TOP_TEST_DIRECTORIES = frozenset({"test", "testing", "t"})
_NAMES = (
    "test_*.py",
    "*_test.py",
    "tests.py",
    "test.py",
    "conftest.py",
    "*.test.[cm]?[jt]s*",
    "*.test.[jt]s*",
    "*.spec.[jt]s*",
    "*.spec.[cm][jt]s",
    "*.test.[cm][jt]s",
    "*.cy.[jt]s*",
    "*.snap",
    "test.[jt]s",
    "*_test.go",
    "*_test.rs",
    "*_tests.rs",
    "tests.rs",
    "*_spec.rb",
    "*_test.rb",
    "test_*.rb",
    "*test.java",
    "*tests.java",
    "*testcase.java",
    "*test.kt",
    "*tests.kt",
    "*spec.kt",
    "*test.scala",
    "*spec.scala",
    "*tests.cs",
    "*test.cs",
    "*test.php",
    "*_test.exs",
    "*_test.dart",
    "*tests.swift",
    "*_test.c",
    "*_test.cc",
    "*_test.cpp",
    "test_*.c",
    "test_*.cpp",
    "*.bats",
    "test_helper.*",
)
_CONFIGURATION = (
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "tox.ini",
    "tox.toml",
    "noxfile.py",
    "pyproject.toml",
    "setup.cfg",
    ".coveragerc",
    "sitecustomize.py",
    "usercustomize.py",
    "package.json",
    ".npmrc",
    "jest.config.*",
    "jest.setup.*",
    "vitest.config.*",
    "vitest.workspace.*",
    "vitest.setup.*",
    "vite.config.*",
    "karma.conf.*",
    "cypress.config.*",
    "playwright.config.*",
    ".mocharc*",
    "ava.config.*",
    "babel.config.*",
    ".babelrc*",
    "phpunit.xml*",
    ".rspec",
    "rakefile",
    "nextest.toml",
    "makefile",
    "gnumakefile",
    "*.mk",
    "justfile",
    "taskfile.y*ml",
)
_JAVA_STYLE = re.compile(r"(?:^|/)src/(?:\w*test\w*)/")
_SOURCE_OF_PYTHON = ".py"


def is_test_file(path: str) -> bool:
    """Whether a file is a test, or lies among tests as their data and helpers do."""
    *directories, name = path.casefold().split("/")
    if any(fnmatchcase(name, pattern) for pattern in _NAMES):
        return True
    if _TEST_DIRECTORIES.intersection(directories) or _JAVA_STYLE.search(path.casefold()):
        return True
    if directories and directories[0] in _TOP_TEST_DIRECTORIES:
        return True
    # `test` deep in a Python package may well be product code, as django/test is; elsewhere it holds tests.
    return "test" in directories and not name.endswith(_SOURCE_OF_PYTHON)


def is_test_configuration(path: str) -> bool:
    """Whether a file decides which tests run and how."""
    name = path.casefold().rsplit("/", 1)[-1]
    return any(fnmatchcase(name, pattern) for pattern in _CONFIGURATION)


def belongs_to_tests(path: str) -> bool:
    """Whether verification takes a file from the base commit when it asks what the base's tests say of a change."""
    return is_test_file(path) or is_test_configuration(path)
