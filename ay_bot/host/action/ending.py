"""How a run of the Action ends: outputs for later steps, the job's summary, annotations, and the exit code."""

from collections.abc import Sequence
from pathlib import Path

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host.action.standpoint import Standpoint
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.github.job_summary import Surroundings, render_short_summary, render_summary
from ay_bot.host.github.runner_context import RunnerContext
from ay_bot.host.github.runner_files import Outputs, write_outputs, write_summary
from ay_bot.host.report import Result


class Ending:
    """Owns what the runner and the readers of its log are told. `out` is where the files of the run are."""

    def __init__(self, context: RunnerContext, log: WorkflowLog, out: Path | None = None) -> None:
        self.out = out
        self.seen = True
        """Whether people on the thread could be shown the end."""
        self._context = context
        self._log = log

    def problem(self, *texts: str) -> None:
        """Tell something that went wrong and ends nothing."""
        for text in texts:
            if text:
                self._log.annotate("warning", text, "ay-bot")

    def unfinished(self, status: str, reason: str, code: ExitCode, hint: str = "") -> ExitCode:
        """Tell how a run ended that has no result."""
        write_outputs(self._context.output, Outputs(status=status))
        context, mention = self._context, self._context.inputs.mention
        summary = render_short_summary(status, reason, hint, context.run_url, mention=mention)
        write_summary(context.step_summary, summary)
        if code != ExitCode.HANDLED:
            self._log.annotate("error", f"{reason}\n\n{hint}".strip(), f"ay-bot: {status}")
        return code

    def finished(self, result: Result, stand: Standpoint, denied: Sequence[str]) -> ExitCode:
        """Tell the result of a run."""
        request, settings = stand.request, stand.settings
        around = Surroundings(
            requester=request.requester,
            thread_url=request.url,
            run_url=self._context.run_url,
            max_cost=settings.max_cost,
            max_tokens=settings.max_tokens,
            blocked=tuple(denied),
            hidden=stand.snapshot.hidden,
            mention=self._context.inputs.mention,
        )
        outputs = Outputs(
            status=result.status,
            pull_request_url=result.url,
            branch=result.branch,
            cost_usd=result.usage.cost_usd,
            bundle=str(self.out or ""),
        )
        write_outputs(self._context.output, outputs)
        write_summary(self._context.step_summary, render_summary(result, around))
        if result.exit_code:
            self._log.annotate("error", result.reason, f"ay-bot: {result.status.replace('_', ' ')}")
        if not self.seen and not result.exit_code:
            return ExitCode.GITHUB_FAILED
        return ExitCode(result.exit_code)


def out_directory(given: str, temporary: Path | None) -> Path | None:
    """Return where the files of a run go: where the workflow says, else into the runner's temporary directory."""
    if given:
        path = Path(given)
        if not path.is_absolute() and temporary is None:
            raise UsageError("the input `bundle` is no absolute path", hint="give one below ${{ runner.temp }}")
        return path
    return temporary / "ay-bot" if temporary else None
