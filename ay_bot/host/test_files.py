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
    "*_test.exs",
    "*_test.dart",
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
_SOURCE_SETS = re.compile(r"(?:^|/)src/(?:tests?|[a-z]\w*Test)/")
_CAMEL_CASE = re.compile(r"\w*(?:Tests?|TestCase|Spec|IT)\.(?:java|kt|scala|groovy|cs|php|swift)")


def is_test_file(path: str) -> bool:
    """Whether a file is a test, or lies among tests as their data and helpers do."""
    *directories, name = path.casefold().split("/")
    if any(fnmatchcase(name, pattern) for pattern in _NAMES):
        return True
    if _CAMEL_CASE.fullmatch(path.rpartition("/")[2]) or _SOURCE_SETS.search(path):
        return True
    if _TEST_DIRECTORIES.intersection(directories):
        return True
    if directories and directories[0] in _TOP_TEST_DIRECTORIES:
        return True
    # `test` deep in a Python package may well be product code, as django/test is; elsewhere it holds tests.
    return "test" in directories and not name.endswith(".py")


def is_test_configuration(path: str) -> bool:
    """Whether a file decides which tests run and how."""
    name = path.casefold().rsplit("/", 1)[-1]
    return any(fnmatchcase(name, pattern) for pattern in _CONFIGURATION)


def belongs_to_tests(path: str) -> bool:
    """Whether verification takes a file from the base commit when it asks what the base's tests say of a change."""
    return is_test_file(path) or is_test_configuration(path)
