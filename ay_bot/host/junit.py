"""Reading the JUnit file that tests wrote in a box: hostile XML in, one outcome per test out, or a reason why not."""

from typing import Literal

from ay_bot.host.plain_text import clean_line
from ay_bot.protocol.conversation import Value

TestOutcome = Literal["passed", "failed", "error", "skipped"]
FAILING: frozenset[str] = frozenset({"failed", "error"})

MOST_BYTES = 32 * 1024 * 1024
MOST_TESTS = 200_000
DEEPEST = 40
LONGEST_ID = 400
LONGEST_DETAIL = 4_000
CHUNK = 64 * 1024
_NOTHING_COLLECTED = 5  # pytest's exit code where it found no test

_SEVERITY: dict[TestOutcome, int] = {"passed": 0, "skipped": 1, "error": 2, "failed": 3}
_RESULT_TAGS: dict[str, TestOutcome] = {"failure": "failed", "error": "error", "skipped": "skipped"}


class Report(Value):
    """What a JUnit file says: the outcome of every test by id, and the message of each one that failed."""

    outcomes: dict[str, TestOutcome]
    details: dict[str, str]

    def count(self, *outcomes: TestOutcome) -> int:
        """Return how many tests ended in one of these ways."""
        return sum(outcome in outcomes for outcome in self.outcomes.values())


class NotBelieved(Value):
    """The file is no evidence; `reason` says why, as the end of a sentence about it."""

    reason: str


def read_report(content: bytes, exit_code: int) -> Report | NotBelieved:
    """Parse a JUnit file and believe it only if it agrees with the exit code and with itself."""
    if not content:
        return NotBelieved(reason="no JUnit file was written")
    report = parse_junit(content)
    if isinstance(report, NotBelieved):
        return report
    failing = report.count("failed", "error")
    if exit_code == 0 and failing:
        return NotBelieved(reason=f"it names {failing} failing tests, but the tests ended with exit code 0")
    nothing_ran = exit_code == _NOTHING_COLLECTED and not report.outcomes
    if exit_code != 0 and not failing and not nothing_ran:
        return NotBelieved(reason=f"it names no failing test, but the tests ended with exit code {exit_code}")
    return report


def parse_junit(content: bytes) -> Report | NotBelieved:
    """Parse a JUnit file without believing anything: no entities, no document type, all sizes bounded."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    if len(content) > MOST_BYTES:
        return NotBelieved(reason=f"it has {len(content)} bytes; at most {MOST_BYTES} are read")
    collector = _Collector()
    parser = DefusedXMLParser(target=collector, forbid_dtd=True)
    try:
        for start in range(0, len(content), CHUNK):
            parser.feed(content[start : start + CHUNK])
        parser.close()
    except _TooMuch as excess:
        return NotBelieved(reason=f"it holds {excess}")
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        return NotBelieved(reason=f"it is not well-formed XML ({_describe(error)})")
    if fault := collector.find_fault():
        return NotBelieved(reason=fault)
    return Report(outcomes=collector.outcomes, details=collector.details)


def _describe(error: Exception) -> str:
    """Say what is wrong without a word of the file's: a reason stands among the host's own words."""
    line, column = getattr(error, "position", (0, 0))
    return f"line {line}, column {column}" if line else type(error).__name__


class _TooMuch(Exception):
    """A bound was passed."""


class _Collector:
    """The parser's target: it keeps what is asked for and builds no tree."""

    def __init__(self) -> None:
        self.outcomes: dict[str, TestOutcome] = {}
        self.details: dict[str, str] = {}
        self._root = ""
        self._declared_failures = 0
        self._declared_anything = False
        self._depth = 0
        self._case = ""
        self._outcome: TestOutcome = "passed"
        self._detail: list[str] = []
        self._listening = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of an element's begin."""
        self._depth += 1
        if self._depth > DEEPEST:
            msg = f"more than {DEEPEST} nested elements"
            raise _TooMuch(msg)
        self._root = self._root or tag
        if tag == "testsuite":
            self._add_declared(attributes)
        elif tag == "testcase":
            self._case, self._outcome, self._detail = build_id(attributes), "passed", []
        elif self._case and tag in _RESULT_TAGS:
            self._outcome = _worse(self._outcome, _RESULT_TAGS[tag])
            self._listening = _RESULT_TAGS[tag] in FAILING
            if self._listening:
                self._detail.append(attributes.get("message", "")[:LONGEST_DETAIL] + "\n")

    def data(self, text: str) -> None:
        """Take note of the text of a failure."""
        if self._listening and sum(map(len, self._detail)) < LONGEST_DETAIL:
            self._detail.append(text[:LONGEST_DETAIL])

    def end(self, tag: str) -> None:
        """Take note of an element's end."""
        self._depth -= 1
        if tag in _RESULT_TAGS:
            self._listening = False
        if tag == "testcase" and self._case:
            self._keep()

    def close(self) -> None:
        """Do nothing: what was collected stays here."""

    def find_fault(self) -> str | None:
        """Return what in the file contradicts itself, or None."""
        if self._root not in {"testsuites", "testsuite"}:
            return "its root element is none of JUnit's"
        failing = sum(outcome in FAILING for outcome in self.outcomes.values())
        if self._declared_anything and bool(failing) != bool(self._declared_failures):
            return f"it declares {self._declared_failures} failures and names {failing}"
        return None

    def _keep(self) -> None:
        if len(self.outcomes) >= MOST_TESTS and self._case not in self.outcomes:
            msg = f"more than {MOST_TESTS} tests"
            raise _TooMuch(msg)
        # A test that is reported twice, as pytest does when its tear-down fails, is as bad as its worst report.
        self.outcomes[self._case] = _worse(self.outcomes.get(self._case, "passed"), self._outcome)
        if self._outcome in FAILING:
            self.details.setdefault(self._case, "".join(self._detail)[:LONGEST_DETAIL].strip())
        self._case = ""

    def _add_declared(self, attributes: dict[str, str]) -> None:
        for name in ("failures", "errors"):
            value = attributes.get(name, "")
            if value.isascii() and value.isdigit() and len(value) < 10:
                self._declared_anything = True
                self._declared_failures += int(value)


def _worse(one: TestOutcome, other: TestOutcome) -> TestOutcome:
    return max(one, other, key=_SEVERITY.__getitem__)


def build_id(attributes: dict[str, str]) -> str:
    """Return a test's id in pytest's spelling where the file is known: `tests/test_x.py::Class::test_name[1]`."""
    name, classname, file = (clean_line(attributes.get(key, "")) for key in ("name", "classname", "file"))
    if not file:
        parts = [classname, name]
    elif not classname and name == file.removesuffix(".py").replace("/", "."):
        parts = [file]  # the file itself could not be collected
    else:
        module = file.removesuffix(".py").replace("/", ".")
        classes = classname.removeprefix(module).removeprefix(".")
        parts = [file, *classes.split("."), name]
    return "::".join(part for part in parts if part)[:LONGEST_ID] or "(a test without a name)"
