"""The demo is solved over the format of each family of providers, streamed and at once, in every edit format, and by a
model without native tool calls.

By default a few runs take each of these once or more; `AY_EVERY_PROTOCOL` takes all of their combinations.
"""

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
from bot_runs import QUICK_TESTS, Bot, commit_all

from tests.loopback_models.policy import FORMS, play
from tests.loopback_models.server import MODELS, serve

DEMO = Path(__file__).parents[2] / "demo"
KEYS = {f"{name}_API_KEY": "a-key-of-the-loopback" for name in ("OPENAI", "ANTHROPIC", "GEMINI")}
STREAM, AT_ONCE = "--stream", "--no-stream"
NATIVE, BY_TEXT = True, False
FEW = [
    ("chat", AT_ONCE, "apply_patch", NATIVE),
    ("chat", STREAM, "edit", BY_TEXT),
    ("responses", STREAM, "search_replace", NATIVE),
    ("anthropic", AT_ONCE, "udiff", BY_TEXT),
    ("anthropic", STREAM, "edit", NATIVE),
    ("gemini", AT_ONCE, "whole", NATIVE),
]
EVERY = list(itertools.product(MODELS, (STREAM, AT_ONCE), FORMS, (NATIVE, BY_TEXT)))


@pytest.mark.bwrap
@pytest.mark.parametrize(("wire", "stream", "form", "native"), EVERY if "AY_EVERY_PROTOCOL" in os.environ else FEW)
def test_the_demo_is_solved(bot: Bot, tmp_path: Path, wire: str, stream: str, form: str, native: bool):
    repository = tmp_path / "evenly"
    shutil.copytree(DEMO / "repository", repository, ignore=shutil.ignore_patterns("__pycache__", ".pytest*"))
    (repository / ".github").mkdir()
    capabilities = {MODELS[wire]: {"tools": native}}
    (repository / ".github" / "ay-bot.yml").write_text(json.dumps({"edit_format": form, "capabilities": capabilities}))
    commit_all(repository)
    bot.environment |= KEYS
    turns, side = play(json.loads((DEMO / "script.json").read_text()), DEMO / "repository", form, native=native)
    with serve(turns, side, native=native) as models:
        arguments = bot.run_arguments(
            repository,
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
    assert any("tools" in body for _, _, body in models.asked) == native
    assert (ended.exit_code, ended.result["status"]) == (0, "verified")
    answered = [event for event in ended.events if event["type"] == "model_answered"]
    assert {event["model"] for event in answered} == {MODELS[wire]}
    assert ended.result["usage"]["cached_tokens"] > 0
    assert ended.result["usage"]["cost_usd"] > 0
