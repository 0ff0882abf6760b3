"""One delivery in a process of its own, which can be killed: `python -m tests.host.action.one_delivery PHASE` with the
runner's environment. PHASE names the phase of the pipeline at whose beginning the process kills itself, if any."""

import os
import signal
import sys

from ay_bot.host import pipeline
from ay_bot.host.action import entry, request_run
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.protocol.events import PhaseStarted, Record
from tests.fakes import LocalSandbox
from tests.host.action.deliveries import QUICK, Model
from tests.host.test_pipeline import FINISH, MEND


def main() -> int:
    deadly = sys.argv[1] if len(sys.argv) > 1 else ""

    def watch(record: Record) -> None:
        if isinstance(record.event, PhaseStarted) and record.event.phase == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    pipeline.choose = lambda *_, **__: (LocalSandbox(), ())
    request_run.start_gateway = lambda: Model(MEND, FINISH)
    return int(entry.run_action(os.environ, watch, WorkflowLog(print), QUICK))


if __name__ == "__main__":
    sys.exit(main())
