"""The summary of a job: how a run ended, what proves it, what it cost; all words of others are made harmless."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from ay_bot.host.github.shown_text import show_duration, show_line, show_link, show_quote
from ay_bot.host.github.thread import HiddenText
from ay_bot.host.github.verification_table import code, render_runs, render_verification
from ay_bot.host.plain_text import clean_line
from ay_bot.host.report import Result
from ay_bot.protocol.conversation import Value

MOST_ROWS = 200
MOST_LINES = 100


class Surroundings(Value):
    """What a summary tells beside the result. `blocked` is what was asked for and not done."""

    requester: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9_-]{1,100}(?:\[bot\])?)?$")] = ""
    thread_url: str = ""
    run_url: str = ""
    max_cost: float = 0.0
    max_tokens: int = 0
    blocked: tuple[str, ...] = ()
    hidden: tuple[HiddenText, ...] = ()
    mention: str = "ay"
    """The name that the bot is called by on this repository."""


def render_summary(result: Result, around: Surroundings) -> str:
    """Return the summary as Markdown."""
    return "\n\n".join(part for part in _parts(result, around) if part) + "\n"


def render_short_summary(status: str, reason: str, hint: str = "", run_url: str = "", *, mention: str = "ay") -> str:
    """Return the summary of a run that has no result: ignored, denied, or failed before it began."""
    parts = [
        f"## ay-bot: {clean_line(status)}",
        show_quote(reason, 4000),
        f"**What to do:** {show_line(hint, 1000, mention=mention)}" if hint else "",
        show_link(run_url, "run"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _parts(result: Result, around: Surroundings) -> Iterator[str]:
    reason, _, hint = result.reason.partition("\n\nhint: ")
    yield f"## ay-bot: {result.status.replace('_', ' ')}"
    yield show_quote(reason, 4000)
    yield f"**What to do:** {show_line(hint, 1000, mention=around.mention)}" if hint else ""
    yield _render_facts(result, around)
    yield render_verification(result.verification, MOST_ROWS) if result.verification else ""
    yield _fold("Runs of the tests", render_runs(result.verification.runs) if result.verification else "")
    yield _list("Not done, though it was asked for", [show_line(each) for each in around.blocked])
    yield _list("Withheld", [f"{code(path.path)}: {show_line(path.rule)}" for path in result.withheld])
    yield _list("For a person to look at", [code(path) for path in result.review])
    yield _list("Hidden text", [_describe_hidden(each) for each in around.hidden])
    yield _list("Notes", [show_line(notice) for notice in result.notices])
    yield _render_timings(result)


def _render_facts(result: Result, around: Surroundings) -> str:
    usage = result.usage
    cost = "unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    cost_cap = f" of ${around.max_cost:.2f}" if around.max_cost else ""
    token_cap = f" of {around.max_tokens:,}" if around.max_tokens else ""
    tokens = usage.prompt_tokens + usage.completion_tokens
    facts = (
        ("asked by", code(around.requester) if around.requester else ""),
        ("asked on", show_link(around.thread_url)),
        ("pull request", show_link(result.url)),
        ("branch", code(result.branch) if result.branch else ""),
        ("commit", code(result.commit) if result.commit else ""),
        ("base", code(result.base) if result.base else ""),
        ("model", code(result.model) if result.model else ""),
        ("sandbox", code(result.sandbox) if result.sandbox else ""),
        ("cost", f"{cost}{cost_cap}, {tokens:,}{token_cap} tokens in {usage.requests} requests"),
        ("time", show_duration(result.timings.get("total", 0.0))),
        ("blocked requests", str(len(around.blocked))),
        ("exit code", str(result.exit_code)),
        ("log", show_link(around.run_url)),
    )
    rows = [f"| {name} | {value} |" for name, value in facts if value]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _render_timings(result: Result) -> str:
    rows = [f"| {clean_line(name)} | {seconds:.1f} |" for name, seconds in list(result.timings.items())[:50]]
    return _fold("Seconds", "\n".join(["| phase | seconds |", "| --- | --: |", *rows]) if rows else "")


def _describe_hidden(hidden: HiddenText) -> str:
    where = f"by {code(hidden.author, 100)} in {code(hidden.where, 100)}"
    return f"{where}, {code(hidden.kind, 40)}: {code(hidden.decoded, 500)}"


def _list(title: str, lines: Sequence[str]) -> str:
    shown = [f"- {line}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"- and {len(lines) - MOST_LINES} more")
    return "\n".join([f"### {title}", "", *shown]) if shown else ""


def _fold(title: str, markdown: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{markdown}\n\n</details>" if markdown else ""
