"""The process that plans a run's context, beside the making of its box: it reads the repository, and ends.

What it reads with takes memory that a run has no use for later, and time that some repositories take without end.
It reads two lines of JSON, a Place and a Wish, and writes one: a Plan, or what was wrong.
"""

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Self

from ay_bot.errors import AyBotError
from ay_bot.host.context import Place, Plan, Wish
from ay_bot.host.gateway_process import list_packages
from ay_bot.protocol.parent import die_with_parent

PROGRAM: Final = (
    "import sys; sys.path += sys.argv.pop(1).split(':'); from ay_bot.host.context.process import main; main()"
)
LONGEST_ANSWER: Final = 64 * 1024 * 1024
POLL: Final = 0.25


class Planner:
    """A process that has begun to read a repository."""

    def __init__(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        self._process = process
        self._deadline = deadline

    @classmethod
    def start(cls, place: Place, environment: Mapping[str, str], seconds: float) -> Self:
        """Start it; it has so many seconds in all."""
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM, ":".join(list_packages())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: environment[name] for name in ("PATH", "LANG", "LC_ALL") if name in environment},
            cwd="/",
            start_new_session=True,
        )
        planner = cls(process, time.monotonic() + seconds)
        planner._say(place)
        return planner

    def plan(self, wish: Wish, check: Callable[[], None]) -> Plan:
        """Return the plan; `check` is called now and then, and may raise. Raises AyBotError if there is none."""
        self._say(wish)
        answer = self._read(check)
        try:
            told = json.loads(answer)
            if not isinstance(told, dict) or "error" in told:
                raise AyBotError(str(told["error"]) if isinstance(told, dict) else "the answer is no object")
            return Plan.model_validate(told)
        except ValueError:
            raise AyBotError("the process that reads it ended without an answer") from None

    def _say(self, value: Place | Wish) -> None:
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(value.model_dump_json().encode() + b"\n")
                self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, as its missing answer will tell

    def _read(self, check: Callable[[], None]) -> bytes:
        parts: list[bytes] = []
        stdout = self._process.stdout
        with selectors.DefaultSelector() as selector:
            if stdout is None:
                return b""
            selector.register(stdout, selectors.EVENT_READ)
            while sum(map(len, parts)) <= LONGEST_ANSWER:
                check()
                if time.monotonic() > self._deadline:
                    raise AyBotError("reading it took too long; what was read is kept for the next time")
                if not selector.select(POLL):
                    continue
                if not (part := stdout.read1(1 << 20)):  # type: ignore[attr-defined]  # typeshed: IO has no read1
                    break
                parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """End the process, and its workers, which end with their input."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def planning(place: Place, environment: Mapping[str, str], seconds: float) -> Iterator[Planner]:
    """Have a process plan a context, for as long as the with block lasts."""
    planner = Planner.start(place, environment, seconds)
    try:
        yield planner
    finally:
        planner.close()


def main() -> None:
    """Answer the two lines on stdin."""
    die_with_parent()
    place = Place.model_validate_json(sys.stdin.buffer.readline())
    sys.stdout.write(_answer(place, lambda: Wish.model_validate_json(sys.stdin.buffer.readline())))


def _answer(place: Place, read: Callable[[], Wish]) -> str:
    try:
        from ay_bot.host.context.planning import plan, rate
        from ay_bot.host.outline_source import GitSource
        from ay_bot.outline.counting import count_most
        from ay_bot.outline.outlining import open_outline

        if not place.outlined:
            count_most(place.encodings)("")  # while others make the box
            return rate(Plan(), read()).model_dump_json()
        source = GitSource(place.git_dir, place.commit, place.tree)
        with open_outline(place.cache, place.name) as outline:
            outline.ranking(source)
            return plan(outline, source, read()).model_dump_json()
    except ImportError as error:
        return json.dumps({"error": f"{error.name} is not installed; install ay-bot[outline]"})
    except AyBotError as error:
        return json.dumps({"error": error.message})
