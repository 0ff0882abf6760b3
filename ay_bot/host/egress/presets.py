"""The presets: the public hosts of package managers, from the data file beside this module."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from ay_bot.host.egress.rules import HostRule, PresetName

FILE: Final = Path(__file__).with_name("presets.toml")


def read_preset(name: PresetName) -> tuple[HostRule, ...]:
    """Return the rules of a package manager's registries."""
    return _read_file()[name]


@cache
def _read_file() -> dict[str, tuple[HostRule, ...]]:
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: tuple(map(HostRule.model_validate, hosts)) for name, hosts in content.items()}
