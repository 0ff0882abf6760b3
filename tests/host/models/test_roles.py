"""A configuration's packs become what the gateway is told, with no gaps, and no key goes to a strange address."""

from typing import get_args

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides, Settings
from ay_bot.host.models.roles import configure, first_models
from ay_bot.host.settings_file import load_settings
from ay_bot.protocol.conversation import Role
from ay_bot.protocol.messages import RoleModels

PACKS = b"""\
model: openai/flat
models:
  default:
    main: anthropic/main
    weak: [openai/weak, openai/weaker]
  big:
    main: [openai/simple, openai/good, anthropic/best]
    reviewer: gemini/reviewer
    strategy: task
    fallbacks: gemini/fallback
    larger: gemini/large
    stronger: anthropic/strong
    reasoning: high
    on_refusal: next
    on_payment: stop
capabilities:
  openai/good: {context_window: 9000, tools: false, input_price: 0.5}
"""


def load(file: bytes | None = PACKS, **said: object) -> Settings:
    return load_settings(file, Overrides.model_validate(said))


def names(role: object) -> list[str]:
    assert isinstance(role, RoleModels)
    return [one.model for one in role.models]


def test_a_flat_model_stays_valid():
    roles = configure(load(b"model: openai/a\nweak_model: openai/b\n")).roles
    assert set(roles) == set(get_args(Role))
    assert first_models(configure(load(b"model: openai/a\nweak_model: openai/b\n"))) == {
        "main": "openai/a",
        "planner": "openai/a",
        "editor": "openai/a",
        "reviewer": "openai/a",
        "weak": "openai/b",
        "summary": "openai/b",
    }


def test_the_default_pack_counts_and_its_gaps_are_filled():
    settings = load()
    assert settings.main_model == "anthropic/main"
    roles = configure(settings).roles
    assert names(roles["editor"]) == ["anthropic/main"]
    assert names(roles["summary"]) == ["openai/weak", "openai/weaker"]


def test_another_pack_by_name():
    settings = load(pack="big")
    role = configure(settings, hardness=0.0).roles["reviewer"]
    assert isinstance(role, RoleModels)
    assert names(role) == ["gemini/reviewer"]
    assert [one.model for one in role.fallbacks] == ["gemini/fallback"]
    assert [one.model for one in role.larger] == ["gemini/large"]
    assert [one.model for one in role.stronger] == ["anthropic/strong"]
    assert (role.reasoning, role.on_refusal, role.on_payment) == ("high", "next", "stop")
    assert configure(settings).capabilities["openai/good"].context_window == 9_000


def test_one_model_that_is_asked_for_is_the_only_one():
    assert set(first_models(configure(load(model="xai/grok"))).values()) == {"xai/grok"}


@pytest.mark.parametrize(
    ("hardness", "order"),
    [
        (0.0, ["openai/simple", "openai/good", "anthropic/best"]),
        (0.4, ["openai/good", "anthropic/best", "openai/simple"]),
        (1.0, ["anthropic/best", "openai/good", "openai/simple"]),
    ],
)
def test_the_harder_the_task_the_stronger_the_model(hardness, order):
    roles = configure(load(pack="big"), hardness=hardness).roles
    assert names(roles["main"]) == order
    assert names(roles["weak"]) == ["openai/simple", "openai/good", "anthropic/best"], "titles are as easy as ever"


def test_an_address_is_for_the_provider_of_the_first_model_alone():
    role = configure(load(pack="big"), api_base="http://mine").roles["main"]
    assert isinstance(role, RoleModels)
    assert [one.api_base for one in role.models] == ["http://mine", "http://mine", None]
    assert [one.api_base for one in role.fallbacks] == [None]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"model: a/b\npack: nope\n", "no pack `nope`"),
        (b"models: {x: {main: a/b}}\n", "no model was given"),
        (b"models: {x: {mian: a/b}}\n", "did you mean `main`"),
        (b"models: {x: {strategy: dice}}\n", "models.x.strategy"),
        (b"model: a/b\ncapabilities: {a/b: {window: 3}}\n", "no such setting"),
        (b"model: a/b\ncapabilities: {a/b: {context_window: -3}}\n", "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_said(file, words):
    with pytest.raises(UsageError) as caught:
        load(file)
    assert words in str(caught.value)
