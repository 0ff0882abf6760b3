"""Which format of edits a model is asked for where nobody has said."""

import pytest

from ay_bot.agent.dialect import Dialect
from ay_bot.agent.tools.registry import choose_tools
from ay_bot.gateway.registry import Registry, read_table
from ay_bot.host.models.edit_format import choose_edit_format
from ay_bot.protocol.model_facts import ModelFacts


@pytest.mark.parametrize(
    ("model", "form", "offered"),
    [
        ("openai/gpt-5-mini", "apply_patch", {"apply_patch"}),
        ("openai/gpt-4o", "auto", {"edit", "apply_patch"}),
        ("anthropic/claude-sonnet-4-5", "auto", {"edit", "apply_patch"}),
        ("openai/of-my-own", "auto", {"edit", "apply_patch"}),
    ],
)
def test_the_default_goes_by_what_the_model_can(model, form, offered):
    facts = Registry(read_table(), {}).facts(model)
    chosen = choose_edit_format("auto", {"main": facts}, architect=False)
    assert chosen == form
    dialect = Dialect(choose_tools("change"), chosen, native=facts.tools)
    assert {spec.name for spec in dialect.specs} & {"edit", "apply_patch"} == offered
    assert choose_edit_format("udiff", {"main": facts}, architect=False) == "udiff"


def test_a_model_without_tools_writes_blocks():
    facts = ModelFacts(model="m", provider="openai", reasoning=True, tools=False)
    assert choose_edit_format("auto", {"main": facts}, architect=False) == "auto"
    assert "<<<<<<< SEARCH" in Dialect(choose_tools("change"), "auto", native=False).instructions


def test_an_architects_editor_counts():
    models = {
        "main": ModelFacts(model="m", provider="anthropic"),
        "editor": ModelFacts(model="e", provider="openai", reasoning=True),
    }
    assert choose_edit_format("auto", models, architect=True) == "apply_patch"
    assert choose_edit_format("auto", models, architect=False) == "auto"
    assert choose_edit_format("auto", {}, architect=False) == "auto"
