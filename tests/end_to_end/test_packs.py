"""A run with a pack of models: by the task, along a chain, with an image, and everybody is told who answered."""

import base64
import json
import shutil
from pathlib import Path

import pytest
from bot_runs import QUICK_TESTS, Bot, commit_all

from tests.loopback_models.server import MODELS, serve
from tests.loopback_models.turns import Turn, turns_of

DEMO = Path(__file__).parents[2] / "demo"
KEYS = {f"{name}_API_KEY": "a-key-of-the-loopback" for name in ("OPENAI", "ANTHROPIC", "GEMINI")}
CONFIG = f"""\
models:
  duo:
    main: [{MODELS["anthropic"]}, anthropic/for-the-hardest]
    strategy: task
    fallbacks: {MODELS["gemini"]}
    weak: {MODELS["chat"]}
"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.bwrap
def test_a_pack_of_models_solves_the_demo(bot: Bot, tmp_path: Path):
    repository = tmp_path / "evenly"
    shutil.copytree(DEMO / "repository", repository, ignore=shutil.ignore_patterns("__pycache__", ".pytest*"))
    (repository / ".github").mkdir()
    (repository / ".github" / "ay-bot.yml").write_text(CONFIG)
    commit_all(repository)
    (tmp_path / "shot.png").write_bytes(base64.b64decode(PIXEL))
    (tmp_path / "issue.md").write_text((DEMO / "issue.md").read_text() + "\n![the bill](shot.png) ![](../x.png)\n")
    turns, side = turns_of(json.loads((DEMO / "script.json").read_text()))
    with serve([turns[0], Turn(fails="payment"), *turns[1:]], side) as models:
        bot.environment |= KEYS
        bot.environment |= {
            "OPENAI_BASE_URL": models.base("chat"),
            "ANTHROPIC_API_BASE": models.base("anthropic"),
            "GEMINI_API_BASE": models.base("gemini"),
        }
        arguments = bot.run_arguments(
            repository, task=None, model=None, issue=tmp_path / "issue.md", pack="duo", test=QUICK_TESTS
        )
        ended = bot.end_of(bot.start(*arguments))
    assert models.refused == []
    assert (ended.exit_code, ended.result["status"]) == (0, "verified")
    assert [wire for wire, _, _ in models.asked[:3]] == ["anthropic", "anthropic", "gemini"]
    assert models.asked[-1][0] == "chat", "the weak model writes the message"
    assert all(PIXEL in json.dumps(body) for _, _, body in models.asked[:-1])
    (chosen,) = [event for event in ended.events if event["type"] == "model_chosen"]
    assert chosen["models"]["main"] == MODELS["anthropic"]
    assert chosen["features"]["images"] == 1
    (switched,) = [event for event in ended.events if event["type"] == "model_switched"]
    assert (switched["before"], switched["after"], switched["cause"]) == (
        MODELS["anthropic"],
        MODELS["gemini"],
        "payment",
    )
    assert "credit" in switched["reason"]
    for words in (f"{MODELS['gemini']} in place of {MODELS['anthropic']}", "x.png", "for a task as hard as"):
        assert words in ended.stderr
