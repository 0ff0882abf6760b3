"""A throw-away git repository over the seed, so that the model's own `git diff` works; nothing of it ever leaves."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

PATIENCE: Final = 3.0  # seconds that the first tool call waits for it
NICENESS: Final = 10
SCRIPT: Final = (
    "git init -q --template= && git config gc.auto 0 && git add -A && git -c core.hooksPath=/dev/null commit -q -m base"
)
ENVIRONMENT: Final = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "base",
    "GIT_AUTHOR_EMAIL": "base@localhost",
    "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "base",
    "GIT_COMMITTER_EMAIL": "base@localhost",
    "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z",
}


class BackgroundRepository:
    """Made while the model thinks for the first time; given up if it is not ready when the first tool runs."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, where there is a git and no repository yet."""
        if (self._root / ".git").exists() or not shutil.which("git", path=os.defpath):
            return
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT],
                cwd=self._root,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            os.setpriority(os.PRIO_PROCESS, self._process.pid, NICENESS)
        except OSError:
            return

    def settle(self) -> None:
        """Wait until it is there, or remove it: from now on files change."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if process.wait(PATIENCE) == 0:
                return
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
        shutil.rmtree(self._root / ".git", ignore_errors=True)
