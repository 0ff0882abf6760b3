"""Run a module of ay_bot on a bare Python, before anything is installed: python3 -I -S bare.py MODULE [ARGUMENT...]

With -I and -S nothing of the current directory, the user or the machine's packages is on the path: this checkout alone.
"""

import runpy
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have an older one
    sys.exit("ay-bot needs Python 3.11 or newer on the runner; the images ubuntu-24.04 and later have it")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
