"""What `ay-bot image` says and takes."""

import os

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.setup.engine import KeptImage, KeptImages
from ay_bot.host.setup.images import parse_age, prepare_runtime


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("12h", 43_200), ("7d", 604_800)])
def test_an_age(text, seconds):
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "7 d", "٣d", "1" * 20 + "d", "7w"])
def test_what_is_no_age(text):
    with pytest.raises(UsageError, match="is no age"):
        parse_age(text)


@pytest.mark.parametrize(
    ("most", "older_than", "gone"),
    [(8, 0.0, []), (2, 0.0, ["2"]), (0, 0.0, ["0", "2"]), (8, 150.0, ["2"]), (1, 1e9, ["2"])],
)
def test_what_is_pruned(monkeypatch, most, older_than, gone):
    """The newest are kept, and what is in use (here number 1) whatever its age."""
    now = 1_000_000.0
    images = tuple(
        KeptImage(
            name=str(n), digest="", key="", repository="", base="", made=int(now) - 100 * n, size=0, in_use=n == 1
        )
        for n in range(3)
    )
    kept = KeptImages.__new__(KeptImages)
    monkeypatch.setattr(KeptImages, "list", lambda _self: images)
    monkeypatch.setattr(KeptImages, "remove", lambda _self, image: not image.in_use)
    monkeypatch.setattr("ay_bot.host.setup.engine.time.time", lambda: now)
    assert [image.name for image in kept.prune(most, older_than)] == gone


@pytest.mark.docker
def test_the_runtime_is_prepared_and_seen_to_run():
    runtime = prepare_runtime(os.environ)
    assert (runtime.runs, runtime.problem) == (True, "")
    assert runtime.architecture == runtime.engine
    assert runtime.volume.startswith("ay-bot-runtime-")
    assert 20e6 < runtime.size < 200e6
    assert runtime.python.startswith("3.")
    assert prepare_runtime(os.environ) == runtime
