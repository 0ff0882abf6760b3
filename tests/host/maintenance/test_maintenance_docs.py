"""docs/maintenance.md agrees with the code: its example can be used, and its tables list everything."""

import re
from pathlib import Path
from typing import get_args

from ay_bot.host.config import Chore, ChoreKind, Overrides
from ay_bot.host.settings_file import load_settings

PAGE = (Path(__file__).parents[3] / "docs/maintenance.md").read_text()


def test_the_example_is_a_configuration():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    settings = load_settings(example.encode(), Overrides(model="a/b"))
    assert [chore.name for chore in settings.maintenance] == ["lint", "docs", "old-api"]


def test_the_tables_list_every_kind_and_every_setting():
    listed = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert set(listed) == {*get_args(ChoreKind), *Chore.model_fields}
