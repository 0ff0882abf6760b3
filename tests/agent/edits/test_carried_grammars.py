"""Grammars that look at edits are in every box: the carried runtime has them, bubblewrap shows them."""

from pathlib import Path

import pytest

import ay_bot.agent
from ay_bot.agent.edits.grammars import LANGUAGES, load_parser
from ay_bot.host.runtime import DEPENDENCIES

MODULES = {"csharp": "c_sharp", "tsx": "typescript"}


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
def test_a_box_has_the_grammar_of(language):
    module = f"tree_sitter_{MODULES.get(language, language)}"
    assert module in DEPENDENCIES
    lock = (Path(ay_bot.agent.__file__).parent / "runtime.lock").read_text()
    assert f"\n{module.replace('_', '-')}==" in f"\n{lock}"
    assert load_parser(language) is not None
