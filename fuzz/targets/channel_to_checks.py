"""What the host says to a box that only runs tests, whose own reader takes nothing that the host's would not."""

from ay_bot.agent.chores import build_reader
from ay_bot.protocol.messages import HostToBox
from pydantic import TypeAdapter

from fuzz.target import Target, recorded
from fuzz.targets.streams import DOCUMENTED, parser

PLAIN, FULL = build_reader(), TypeAdapter(HostToBox)
_read_all = parser(PLAIN, passed_on=False)


def parse(data: bytes) -> None:
    """Read a line with both readers, and the stream with ours."""
    line = data.partition(b"\n")[0]
    try:
        plain = PLAIN.validate_json(line)
    except (ValueError, RecursionError):
        pass
    else:
        try:
            assert FULL.validate_json(line) == plain
        except ValueError as error:
            assert _is_more_of_json(line), f"the host would refuse it: {error}"
    _read_all(data)


def _is_more_of_json(line: bytes) -> bool:
    """Whether a line uses what Python's reader takes beyond JSON: NaN, other encodings, lone surrogates, no limits."""
    return any(word in line for word in (b"NaN", b"Infinity", b"\\ud", b"\\uD")) or not _is_plain(line)


def _is_plain(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not line.startswith(b"\xef\xbb\xbf") and b"\0" not in line and len(line) < 4000


TARGET = Target(parse=parse, seeds=recorded("to_box"), shape="json", documented=DOCUMENTED)
