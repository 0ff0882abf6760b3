"""One scheduled run in a process of its own, which can be killed; only the chore `tidy` finds anything to do."""

import os
import sys

from ay_bot.host import local_run, pipeline
from ay_bot.host.action import entry
from ay_bot.host.github.annotations import WorkflowLog
from tests.fakes import LocalSandbox
from tests.host.action.deliveries import QUICK, Model
from tests.host.maintenance.yard import TIDY
from tests.host.test_pipeline import FINISH


class Tidy(Model):
    """Knows which chore it is asked about by what it is told."""

    def ask(self, request, on_progress, **more):
        if len(self.requests) == 0 and "`tidy`" not in str(request.messages):
            self.turns.pop(0)
        return super().ask(request, on_progress, **more)


def main() -> int:
    pipeline.choose = lambda *_, **__: (LocalSandbox(), ())
    local_run.start_gateway = lambda: Tidy(TIDY, FINISH)
    return int(entry.run_action(os.environ, lambda _: None, WorkflowLog(print), QUICK))


if __name__ == "__main__":
    sys.exit(main())
