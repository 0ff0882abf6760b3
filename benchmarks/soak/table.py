"""The table at the end of a soak: when runs were killed, what that left, and what was still there afterwards."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.soak.stage import Killed
from benchmarks.soak.traces import KINDS, Traces, count

PHASES = (
    "before its first phase", "repository", "config", "image", "box", "seed", "baseline", "session", "changes",
    "checks", "message", "publish", "after the end of its log", "ended by itself",
)  # fmt: skip


def failures(killed: Sequence[Killed]) -> list[Killed]:
    """Return the runs of which something was left, or whose next command failed."""
    return [one for one in killed if one.wrong]


def render(killed: Sequence[Killed], lengths: dict[str, float], abandoned: Traces, seconds: float) -> Iterator[str]:
    """Yield the lines of the table."""
    sandboxes = sorted({one.sandbox for one in killed})
    whole = ", ".join(f"{name} {length:.1f} s" for name, length in sorted(lengths.items()))
    yield f"{len(killed)} runs killed with SIGKILL in {seconds / 60:.1f} minutes; a whole run takes {whole}"
    yield ""
    yield from _phases(killed, sandboxes)
    yield ""
    yield from _kinds(killed)
    yield ""
    after = Counter(one.next_command for one in killed)
    yield "next command: " + ", ".join(f"{name} {times}" for name, times in sorted(after.items()))
    waits = [one.settled for one in killed]
    yield f"nothing was left after it: median {median(waits):.2f} s, at most {max(waits):.2f} s" if waits else ""
    left = count(abandoned)
    yield f"of dead owners on the whole machine at the end: {left or 'nothing'}"
    yield f"failures: {len(failures(killed))}"
    for one in failures(killed):
        yield f"  run {one.number} ({one.sandbox}, {one.phase}, at {one.moment:.3f}): {'; '.join(one.wrong)}"


def _phases(killed: Sequence[Killed], sandboxes: Sequence[str]) -> Iterator[str]:
    yield f"{'killed in':26}" + "".join(f"{name:>12}" for name in sandboxes) + f"{'left something':>16}{'failed':>8}"
    known = [*PHASES, *sorted({one.phase for one in killed} - set(PHASES))]
    for phase in known:
        there = [one for one in killed if one.phase == phase]
        if there:
            cells = "".join(f"{sum(one.sandbox == name for one in there):12}" for name in sandboxes)
            yield f"{phase:26}{cells}{sum(bool(one.before) for one in there):16}{len(failures(there)):8}"


def _kinds(killed: Sequence[Killed]) -> Iterator[str]:
    yield f"{'left by a killed run':26}{'before the next command':>26}{'after it':>12}"
    for kind in KINDS:
        before = sum(one.before.get(kind, 0) for one in killed)
        after = sum(one.after.get(kind, 0) for one in killed)
        yield f"{kind:26}{before:26}{after:12}"
