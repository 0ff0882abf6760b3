"""The report that tests left in a box."""

from ay_bot.host.junit import LONGEST_DETAIL, LONGEST_ID, NotBelieved, read_report

from fuzz.target import Target, recorded

SEEDS = [
    *recorded("junit"),
    (b'<testsuite><testcase classname="com.A" name="adds"/>'
    b'<testcase name="t"><error>no</error></testcase></testsuite>'),
    b'<?xml version="1.0" encoding="utf-16"?><testsuites/>',
    b'<testsuites failures="1"><testsuite errors="0"/></testsuites>',
    b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><testsuite name="&d;"/>',
    (b'<testsuite><testcase name="a" file="tests/test_a.py" '
    b'classname="tests.test_a.B"><skipped/></testcase></testsuite>'),
]  # fmt: skip


def parse(data: bytes) -> None:
    """Read it as the host does, for tests that passed and for tests that failed: nothing is ever raised."""
    for exit_code in (0, 1):
        report = read_report(data, exit_code)
        if isinstance(report, NotBelieved):
            assert len(report.reason) < 300 and report.reason.isprintable(), report.reason
            continue
        assert bool(report.count("failed", "error")) == bool(exit_code)
        assert all(0 < len(name) <= LONGEST_ID and name.isprintable() for name in report.outcomes)
        assert all(len(text) <= LONGEST_DETAIL for text in report.details.values())
        assert report.details.keys() <= report.outcomes.keys()


TARGET = Target(parse=parse, seeds=SEEDS, shape="xml", longest=16_384)
