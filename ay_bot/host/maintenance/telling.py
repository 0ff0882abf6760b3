"""What a run of maintenance tells the runner and whoever reads its log: outputs, summary, annotations, exit code."""

from collections.abc import Sequence
from typing import NamedTuple

from ay_bot.errors import ExitCode
from ay_bot.host.action.ending import Ending
from ay_bot.host.config import Chore
from ay_bot.host.github.runner_context import RunnerContext
from ay_bot.host.github.runner_files import Outputs, write_outputs, write_summary
from ay_bot.host.github.shown_text import show_link
from ay_bot.host.maintenance.dashboard_text import describe_end
from ay_bot.host.maintenance.record import ChoreEnd


class Told(NamedTuple):
    """A chore and what came of it."""

    chore: Chore
    end: ChoreEnd


def tell(context: RunnerContext, ending: Ending, told: Sequence[Told], code: ExitCode) -> ExitCode:
    """Tell it, and return the exit code: that of the first chore that failed."""
    failed = [each for each in told if each.end.exit_code]
    for each in failed:
        ending.problem(f"the chore {each.chore.name} failed: {each.end.words}")
    code = code or ExitCode(failed[0].end.exit_code if failed else ExitCode.HANDLED)
    costs = [each.end.cost for each in told]
    known = [cost for cost in costs if cost is not None]
    outputs = Outputs(
        status="stopped" if code == ExitCode.INTERRUPTED else "failed" if failed else "handled",
        pull_request_url=" ".join(each.end.url for each in told if each.end.url),
        branch=" ".join(each.end.branch for each in told if each.end.branch),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        bundle=str(ending.out or ""),
    )
    write_outputs(context.output, outputs)
    write_summary(context.step_summary, f"## ay-bot: maintenance\n\n{list_ends(told)}\n")
    return code


def list_ends(told: Sequence[Told]) -> str:
    """Return a line for each chore, in Markdown."""
    return "\n".join(_render(each) for each in told) or "No chore was due."


def _render(told: Told) -> str:
    end = told.end
    text = f"- **{told.chore.name}**: {describe_end(end.outcome, end.words)}"
    links = ", ".join(link for url in end.url.split() if (link := show_link(url)))
    cost = f", ${end.cost:.4f}" if end.cost else ""
    return f"{text}{f' ({links})' if links else ''}{cost}"
