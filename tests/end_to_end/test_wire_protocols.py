"""The demo is solved over the wire format of each family of providers, with answers that stream and answers that don't.

By default each format is taken once, every other one without streaming; `AY_EVERY_PROTOCOL` takes all pairs.
"""

import json
import os
import shutil
from pathlib import Path

import pytest
from bot_runs import QUICK_TESTS, Bot, commit_all

from tests.loopback_models.server import MODELS, serve
from tests.loopback_models.turns import turns_of

DEMO = Path(__file__).parents[2] / "demo"
KEYS = {f"{name}_API_KEY": "a-key-of-the-loopback" for name in ("OPENAI", "ANTHROPIC", "GEMINI")}
PAIRS = [(wire, stream) for wire in MODELS for stream in ("--stream", "--no-stream")]
if "AY_EVERY_PROTOCOL" not in os.environ:
    PAIRS = [pair for place, pair in enumerate(PAIRS) if place in (1, 2, 5, 6)]


@pytest.mark.bwrap
@pytest.mark.parametrize(("wire", "stream"), PAIRS)
def test_the_demo_is_solved(bot: Bot, tmp_path: Path, wire: str, stream: str):
    shutil.copytree(DEMO / "repository", tmp_path / "evenly", ignore=shutil.ignore_patterns("__pycache__", ".pytest*"))
    commit_all(tmp_path / "evenly")
    bot.environment |= KEYS
    turns, side = turns_of(json.loads((DEMO / "script.json").read_text()))
    with serve(turns, side) as models:
        arguments = bot.run_arguments(
            tmp_path / "evenly",
            task=None,
            issue=DEMO / "issue.md",
            model=MODELS[wire],
            api_base=models.base(wire),
            test=QUICK_TESTS,
        )
        ended = bot.end_of(bot.start(*arguments, stream))
    assert models.refused == []
    assert {name for name, _, _ in models.asked} == {wire}
    assert not models.turns
    assert (ended.exit_code, ended.result["status"]) == (0, "verified")
    answered = [event for event in ended.events if event["type"] == "model_answered"]
    assert {event["model"] for event in answered} == {MODELS[wire]}
    assert ended.result["usage"]["cached_tokens"] > 0
    assert ended.result["usage"]["cost_usd"] > 0
