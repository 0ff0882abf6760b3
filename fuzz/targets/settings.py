"""The repository's settings, and the manifests that are compared for their test configuration."""

import contextlib

from ay_bot.errors import UsageError
from ay_bot.host.bounded_toml import read_toml
from ay_bot.host.config import Overrides
from ay_bot.host.settings_file import load_settings
from ay_bot.host.test_settings import same_test_settings

from fuzz.target import Target

MANIFESTS = ("pyproject.toml", "setup.cfg", "package.json")


def parse(data: bytes) -> None:
    """Read it as settings and as each manifest."""
    for name in MANIFESTS:
        same_test_settings(name, b"", data)
    with contextlib.suppress(ValueError, RecursionError):
        read_toml(data.decode("utf-8", "replace"))
    load_settings(data, Overrides(), needs_model=False)


SEEDS = [
    b"model: openai/gpt\ntest: pytest -q\nmax_cost: 2.5\noutputs: [comment, review]\n",
    b"network:\n  setup: {mode: allowlist, presets: [pip], hosts: ['*.example.org']}\n",
    b"files:\n  - {paths: ['src/**'], may: write}\nmaintenance:\n  - {kind: dependencies, when: '0 5 * * 1'}\n",
    b"a: &a [1, 2]\nb: [*a, *a]\n", b"publishing:\n  max_open_pull_requests: 3\nwho: write\ndomains: [docs.example]\n",
    b'[project]\nname = "x"\ndependencies = ["a>=1"]\n[tool.pytest.ini_options]\naddopts = "-q"\n',
    b"[tool:pytest]\naddopts = -q\n[metadata]\nname = x\n", b'{"name": "x", "scripts": {"test": "jest"}, "jest": {}}',
]  # fmt: skip
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", documented=(UsageError,), longest=1500, seconds=2.0, share=0.1)
