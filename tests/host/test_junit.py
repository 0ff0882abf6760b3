import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host import junit
from ay_bot.host.junit import NotBelieved, Report, build_id, parse_junit, read_report

PASSED = '<testcase classname="tests.test_a" name="test_x" file="tests/test_a.py" line="1"/>'
FAILED = (
    '<testcase classname="tests.test_a.TestB" name="test_y[a.b]" file="tests/test_a.py">'
    '<failure message="assert 1 == 2">E   assert 1 == 2</failure></testcase>'
)
SKIPPED = (
    '<testcase classname="tests.test_a" name="test_z" file="tests/test_a.py"><skipped message="later"/></testcase>'
)
NO_FILE = '<testcase classname="com.Calc" name="adds"><error>boom</error></testcase>'


def suite(*cases: str, attributes: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><testsuites><testsuite {attributes}>{"".join(cases)}</testsuite></testsuites>'.encode()
    )


def test_reads_outcomes_and_messages() -> None:
    report = parse_junit(suite(PASSED, FAILED, SKIPPED, NO_FILE))
    assert isinstance(report, Report)
    assert report.outcomes == {
        "tests/test_a.py::test_x": "passed",
        "tests/test_a.py::TestB::test_y[a.b]": "failed",
        "tests/test_a.py::test_z": "skipped",
        "com.Calc::adds": "error",
    }
    assert report.details["tests/test_a.py::TestB::test_y[a.b]"] == "assert 1 == 2\nE   assert 1 == 2"
    assert report.count("failed", "error") == 2


def test_a_test_reported_twice_is_as_bad_as_its_worst_report() -> None:
    error = PASSED.replace("/>", "><error/></testcase>")
    for cases in ((PASSED, error), (error, PASSED)):
        report = parse_junit(suite(*cases))
        assert isinstance(report, Report)
        assert report.outcomes == {"tests/test_a.py::test_x": "error"}


def test_understands_what_pytest_writes(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        "import pytest, unittest\n"
        "@pytest.mark.parametrize('x', [1, 2, '\\x1b[31m'])\n"
        "def test_p(x): assert x != 2\n"
        "class TestC:\n    class TestD:\n        def test_m(self): pass\n"
        "class U(unittest.TestCase):\n    def test_u(self): self.skipTest('no')\n"
        "@pytest.fixture\ndef bad():\n    yield\n    raise ValueError\n"
        "def test_t(bad): pass\n"
        "@pytest.mark.xfail\ndef test_xf(): assert 0\n"
    )
    (tmp_path / "tests" / "test_broken.py").write_text("import nothing_of_this_name\n")
    out = tmp_path / "report.xml"
    options = [f"--junitxml={out}", "-o", "junit_family=xunit1", "--continue-on-collection-errors", "-q"]
    run = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, check=False)
    report = read_report(out.read_bytes(), run.returncode)
    assert isinstance(report, Report)
    assert report.outcomes == {
        "tests/test_broken.py": "error",
        "tests/test_it.py::test_p[1]": "passed",
        "tests/test_it.py::test_p[2]": "failed",
        "tests/test_it.py::test_p[\\x1b[31m]": "passed",
        "tests/test_it.py::TestC::TestD::test_m": "passed",
        "tests/test_it.py::U::test_u": "skipped",
        "tests/test_it.py::test_t": "error",
        "tests/test_it.py::test_xf": "skipped",
    }


@pytest.mark.parametrize(
    ("content", "exit_code", "words"),
    [
        (b"", 0, "no JUnit file"),
        (suite(PASSED, FAILED), 0, "exit code 0"),
        (suite(PASSED), 1, "names no failing test"),
        (suite(), 1, "names no failing test"),
        (suite(PASSED, attributes='failures="1" errors="0"'), 1, "declares 1 failures"),
        (suite(FAILED, attributes='failures="0" errors="0"'), 1, "declares 0 failures"),
        (b"<html/>", 0, "root element"),
        (b"<testsuite>", 0, "not well-formed"),
        (b"\x00\xff", 0, "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', 0, "not well-formed"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite>&a;</testsuite>', 0, "not well-formed"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', 0, "not well-formed"),
        (b"<testsuite>" * 100_000, 0, "nested"),
    ],
)
def test_at_45_what_is_not_believed(content: bytes, exit_code: int, words: str) -> None:
    verdict = read_report(content, exit_code)
    assert isinstance(verdict, NotBelieved)
    assert words in verdict.reason


def test_agreement_is_believed() -> None:
    assert isinstance(read_report(suite(PASSED, attributes='failures="0" errors="0"'), 0), Report)
    assert isinstance(read_report(suite(FAILED, attributes='failures="1" errors="0"'), 1), Report)
    assert isinstance(read_report(suite(), 5), Report)  # pytest found no test


def test_at_45_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [PASSED.replace("test_x", f"test_{number}") for number in range(20)]
    monkeypatch.setattr(junit, "MOST_TESTS", 19)
    assert isinstance(parse_junit(suite(*cases)), NotBelieved)
    assert isinstance(parse_junit(suite(*cases[:19], *cases[:19])), Report)
    monkeypatch.setattr(junit, "MOST_BYTES", 10)
    assert isinstance(parse_junit(suite()), NotBelieved)


def test_long_failures_are_cut() -> None:
    report = parse_junit(suite(FAILED.replace("E   assert", "x" * 100_000)))
    assert isinstance(report, Report)
    assert all(len(text) <= junit.LONGEST_DETAIL for text in report.details.values())


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_at_45_any_bytes_give_an_answer(content: bytes) -> None:
    assert isinstance(read_report(content, 0), Report | NotBelieved)


XML_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"), max_size=30)


@settings(deadline=None)
@given(st.dictionaries(XML_TEXT, st.sampled_from(["passed", "failed", "error", "skipped"]), max_size=8))
def test_what_is_written_is_what_is_read(outcomes: dict[str, str]) -> None:
    from xml.sax.saxutils import quoteattr

    tags = {"failed": "<failure/>", "error": "<error/>", "skipped": "<skipped/>", "passed": ""}
    cases = [
        f'<testcase classname="c" name={quoteattr(f"{number} {name}")}>{tags[outcome]}</testcase>'
        for number, (name, outcome) in enumerate(outcomes.items())
    ]
    report = parse_junit(suite(*cases))
    assert isinstance(report, Report)
    assert list(report.outcomes.values()) == list(outcomes.values())


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["name", "classname", "file"]), st.text(max_size=600)))
def test_an_id_is_one_short_visible_line(attributes: dict[str, str]) -> None:
    identifier = build_id(attributes)
    assert 0 < len(identifier) <= junit.LONGEST_ID
    assert identifier.isprintable() or not any(character in identifier for character in "\n\r\x1b\u202e\0")
    assert len(identifier.splitlines()) == 1
