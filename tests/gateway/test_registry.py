"""Facts of models come from litellm's own table, as litellm reads it, and a person's word counts more."""

import json
import subprocess
import sys

import pytest

from ay_bot.gateway.registry import Registry, read_table
from ay_bot.protocol.model_facts import Capabilities


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(read_table(), {})


def test_a_model_of_each_provider_on_the_direct_route(registry):
    for name in ("openai/gpt-4.1", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro", "deepseek/deepseek-chat"):
        facts = registry.facts(name)
        assert facts.known
        assert facts.priced
        assert facts.provider == name.partition("/")[0]
        assert facts.context_window >= 100_000
        assert facts.output_limit >= 4_000
        assert facts.tools
    assert registry.facts("anthropic/claude-sonnet-4-5").vision
    assert registry.facts("anthropic/claude-sonnet-4-5").caching
    assert registry.facts("openai/gpt-4.1").input_price == 2


def test_a_name_may_say_the_api_or_leave_out_the_provider(registry):
    assert registry.facts("openai/responses/gpt-5-mini").context_window == registry.facts("gpt-5-mini").context_window
    assert registry.facts("gpt-5-mini").known


@pytest.mark.parametrize(
    "name", ["openai/scripted", "nonsense", "anthropic/gpt-4.1", "", "/", "openai/", "sample_spec"]
)
def test_what_nobody_knows(registry, name):
    facts = registry.facts(name)
    assert (facts.known, facts.context_window, facts.priced, facts.tools) == (False, 0, False, True)


def test_a_persons_word_counts_more():
    said = {
        "openai/gpt-4.1": Capabilities(context_window=50_000, vision=False, input_price=9),
        "openai/mine": Capabilities(context_window=8_000, tools=False),
    }
    registry = Registry(read_table(), said)
    facts = registry.facts("openai/gpt-4.1")
    assert (facts.context_window, facts.vision, facts.input_price, facts.output_price) == (50_000, False, 9, 8)
    assert facts.cached_price is None
    assert registry.repriced("openai/gpt-4.1")
    mine = registry.facts("openai/mine")
    assert (mine.known, mine.context_window, mine.tools, mine.priced) == (True, 8_000, False, False)
    assert not registry.repriced("openai/mine")
    assert "openai/mine" in {one.model for one in registry.all()}


def test_all_are_found_again_by_their_names(registry):
    models = list(registry.all())
    assert len(models) > 2_000
    assert all(one.known for one in models)
    assert not any(one.model.startswith("text-embedding") for one in models)


def test_an_odd_table_breaks_nothing():
    table = {"a": {"litellm_provider": 7, "max_input_tokens": "many", "input_cost_per_token": None, "mode": "chat"}}
    facts = Registry(table, {}).facts("a")
    assert (facts.context_window, facts.input_price) == (0, None)


@pytest.mark.slow
def test_litellm_says_the_same(registry):
    """For every chat model of the providers on the direct route."""
    program = (
        "import json, sys, litellm\n"
        "from litellm.utils import get_model_info\n"
        "for name in json.load(sys.stdin):\n"
        "    info = get_model_info(name)\n"
        "    print(json.dumps([name, info.get('max_input_tokens') or 0, info.get('input_cost_per_token')]))\n"
    )
    providers = ("openai", "anthropic", "gemini", "deepseek", "mistral", "xai")
    names = [one.model for one in registry.all() if one.provider in providers and "/ft:" not in one.model]
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        input=json.dumps(names),
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(said) == len(names) > 200
    for name, window, price in said:
        facts = registry.facts(name)
        assert facts.context_window == window, name
        if price is not None and facts.input_price is not None:
            assert facts.input_price == pytest.approx(price * 1e6), name
