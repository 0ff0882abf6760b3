"""The measures behind the rows, one for each thing that was promised about speed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import scripts
from benchmarks.clock import BARE_TYPER, BOT, IMPORT_LITELLM, LOCAL_PRICES, PYTHON, alternate, median, paired, wall
from benchmarks.prompts import count_tokens, least_kept_prefix, text_of
from benchmarks.stand import Seen, run_bot
from benchmarks.table import Row, judge

NO_CHANGE = 5
HELP_LIMIT, HELP_RATIO = 0.35, 1.5
FIRST_REQUEST_MORE = 0.3
GAP_LIMIT = 0.010
WHOLE_LIMIT, HOST_LIMIT, AGENT_LIMIT = 300, 100, 70
TOKENS_LIMIT = 6000
KINDS = {"host": HOST_LIMIT, "gateway": 0, "agent": AGENT_LIMIT, "command": 0}


def help_text(rounds: int) -> Iterator[Row]:
    """`ay-bot --help` against a program with one typer command."""
    taken = alternate(
        {"ours": lambda: wall([BOT, "--help"]), "bare": lambda: wall([PYTHON, "-c", BARE_TYPER, "--help"])}, rounds
    )
    ours, bare = median(taken["ours"]), median(taken["bare"])
    ratio = paired(taken["ours"], taken["bare"], lambda mine, theirs: mine / theirs)
    yield Row(
        "ay-bot --help",
        "-",
        f"{ours:.3f} s",
        f"bare typer program {bare:.3f} s",
        f"{HELP_LIMIT} s and {HELP_RATIO}x",
        judge(met=ours <= HELP_LIMIT and ratio <= HELP_RATIO),
        f"{ratio:.2f}x, medians of {rounds}",
    )


def first_request(sandboxes: list[str], rounds: int) -> Iterator[Row]:
    """From the command to the model's first request against `import litellm` alone."""
    with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        repository = scripts.demo_repository(Path(directory))

        def until_asked(sandbox: str) -> float:
            return run_bot(repository, scripts.one_answer(), sandbox, expect=NO_CHANGE).to_first_request

        measures = {sandbox: (lambda sandbox=sandbox: until_asked(sandbox)) for sandbox in sandboxes}
        taken = alternate({"litellm": lambda: wall(IMPORT_LITELLM, LOCAL_PRICES), **measures}, rounds)
    for sandbox in sandboxes:
        more = paired(taken[sandbox], taken["litellm"], lambda mine, theirs: mine - theirs)
        yield Row(
            "command to first request",
            sandbox,
            f"{median(taken[sandbox]):.2f} s",
            f"import litellm {median(taken['litellm']):.2f} s",
            f"+{FIRST_REQUEST_MORE} s",
            judge(met=more <= FIRST_REQUEST_MORE),
            f"{more:+.2f} s, medians of {rounds}",
        )


def step_gap(sandboxes: list[str], steps: int) -> Iterator[Row]:
    """From an answer's last byte to the next request, a trivial shell command included."""
    with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        repository = scripts.demo_repository(Path(directory))
        for sandbox in sandboxes:
            seen = run_bot(repository, scripts.trivial_steps(steps), sandbox, expect=NO_CHANGE)
            alone = run_bot(repository, scripts.trivial_steps(steps), sandbox, expect=NO_CHANGE, test="true")
            first, last = median(seen.gaps[:10]), median(seen.gaps[-10:])
            yield Row(
                "reply to next request",
                sandbox,
                f"{median(seen.gaps) * 1000:.1f} ms",
                f"bash -c 'echo': {_bare_step() * 1000:.1f} ms",
                f"{GAP_LIMIT * 1000:.0f} ms",
                judge(met=median(seen.gaps) <= GAP_LIMIT),
                f"first ten {first * 1000:.1f}, last ten {last * 1000:.1f} ms; "
                f"{median(alone.gaps) * 1000:.1f} ms without the base's tests beside it; {len(seen.gaps)} gaps",
            )


def _bare_step() -> float:
    return median([wall(["bash", "-c", f"echo step {number}"]) for number in range(30)])


def demo(sandboxes: list[str]) -> Iterator[Row]:
    """The demo: memory of its whole tree, its time, and where that went."""
    with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        repository = scripts.demo_repository(Path(directory))
        for sandbox in sandboxes:
            seen = run_bot(repository, scripts.demo_script(), sandbox, expect=0, sample=True)
            yield from _memory_rows(seen, sandbox)
            yield _time_row(seen, sandbox)


def _memory_rows(seen: Seen, sandbox: str) -> Iterator[Row]:
    made_of = ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(seen.peaks.whole_then.items()))
    whole = seen.peaks.whole
    yield Row(
        "memory, whole tree", sandbox, f"{whole:.0f} MB", "-", f"{WHOLE_LIMIT} MB", judge(met=whole <= WHOLE_LIMIT),
        f"at the peak: {made_of}; pytest's plugins: {_plugins_of_tests(sandbox)}",
    )  # fmt: skip
    for kind, limit in KINDS.items():
        size = seen.peaks.kinds.get(kind, 0.0)
        verdict = judge(met=size <= limit) if limit else "info"
        note = "the greatest by itself: pytest, git, ripgrep, …" if kind == "command" else ""
        yield Row(f"memory, {kind}", sandbox, f"{size:.0f} MB", "-", f"{limit} MB" if limit else "-", verdict, note)


def _plugins_of_tests(sandbox: str) -> str:
    """Say what pytest loads beside itself: a box without an image shows it this environment, so that they count."""
    from importlib.metadata import entry_points

    if sandbox == "docker":
        return "the image has none"
    names = sorted(point.name for point in entry_points(group="pytest11"))
    return ", ".join(names) or "none"


def _time_row(seen: Seen, sandbox: str) -> Row:
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in seen.result["timings"].items() if name != "total")
    return Row(
        "demo, whole run", sandbox, f"{seen.ended - seen.started:.2f} s", "-", "60 s",
        judge(met=seen.ended - seen.started <= 60), f"first request {seen.to_first_request:.2f}; {parts}",
    )  # fmt: skip


def prompt_tokens(sandbox: str) -> Iterator[Row]:
    """The five answers that mend the demo repository: every token that the model is sent."""
    with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        seen = run_bot(scripts.demo_repository(Path(directory)), scripts.five_answers(), sandbox, expect=0)
    whole = [count_tokens(text_of(exchange.request)) for exchange in seen.exchanges]
    first = seen.steps[0].request
    tools = count_tokens(text_of({"tools": first["tools"], "messages": []}))
    kept = least_kept_prefix(seen.steps)
    side = len(seen.exchanges) - len(seen.steps)
    yield Row(
        "prompt tokens, five answers", sandbox, f"{sum(whole):,}", "-", f"{TOKENS_LIMIT:,}",
        judge(met=sum(whole) <= TOKENS_LIMIT),
        f"{len(whole)} requests, {side} of them for the commit message; the first {whole[0]}, its tools {tools}",
    )  # fmt: skip
    yield Row("prefix kept, least", sandbox, f"{kept:.3f}", "-", "1.000", judge(met=kept == 1.0))


def large_seed(sandboxes: list[str], files: int) -> Iterator[Row]:
    """How much longer the first request takes where the repository has many files."""
    with tempfile.TemporaryDirectory(prefix="ay-bench-") as directory:
        large = scripts.large_repository(Path(directory), files)
        small = scripts.demo_repository(Path(directory))
        for sandbox in sandboxes:
            seen = run_bot(large, scripts.one_answer(), sandbox, expect=NO_CHANGE)
            plain = run_bot(small, scripts.one_answer(), sandbox, expect=NO_CHANGE)
            yield Row(
                f"first request, {files:,} files", sandbox, f"{seen.to_first_request:.2f} s",
                f"demo repository {plain.to_first_request:.2f} s", "-", "info",
                f"{seen.to_first_request - plain.to_first_request:+.2f} s",
            )  # fmt: skip
