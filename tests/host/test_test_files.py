import pytest

from ay_bot.host.test_files import belongs_to_tests, is_test_configuration, is_test_file


@pytest.mark.parametrize(
    "path",
    [
        "test_a.py",
        "tests/test_a.py",
        "pkg/a_test.py",
        "tests/data/x.json",
        "pkg/tests/helper.py",
        "conftest.py",
        "test/x.py",
        "src/a.test.ts",
        "src/a.spec.jsx",
        "src/__tests__/a.js",
        "a.test.mjs",
        "pkg/test/a.js",
        "a_test.go",
        "pkg/testdata/x",
        "tests/it.rs",
        "src/parser_tests.rs",
        "src/test/java/com/X.java",
        "CalcTest.java",
        "src/integrationTest/kotlin/A.kt",
        "spec/models/user_spec.rb",
        "test_helper.rb",
        "a.bats",
        "Tests/UnitTests.cs",
        "src/__snapshots__/a.snap",
        "e2e/x.ts",
    ],
)
def test_tests(path: str) -> None:
    assert is_test_file(path)
    assert belongs_to_tests(path)


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        "src/contest.py",
        "django/test/client.py",
        "attest.py",
        "latest.go",
        "src/testing_tools/a.py",
        "inspect.rb",
        "docs/testing.md",
        "src/specification.ts",
        "protest.java",
        "numpy/testing/utils.py",
        "spectrum.py",
    ],
)
def test_product_code(path: str) -> None:
    assert not belongs_to_tests(path)


@pytest.mark.parametrize(
    "path", ["pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", "package.json", "jest.config.ts", "Makefile"]
)
def test_configuration(path: str) -> None:
    assert is_test_configuration(path)
    assert belongs_to_tests(f"sub/{path}")
