"""Where the bot's image finds no box image, it builds it from what it carries."""

import shutil
import tarfile
from pathlib import Path

import pytest

from ay_bot.errors import ImageUnavailable
from ay_bot.host.image import CARRIED, PACKAGE
from ay_bot.host.sandbox import box_image
from ay_bot.host.sandbox.box_image import base_of, find_sources, open_context, require_built

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources as the bot's image has them."""
    shutil.copytree(PACKAGE, tmp_path / "ay_bot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/make_runtime.py", tmp_path / "scripts")
    (tmp_path / "base").write_text("some-base:1\n")
    monkeypatch.setattr(box_image, "PACKAGE", tmp_path / "ay_bot")
    monkeypatch.setattr("ay_bot.host.image.PACKAGE", tmp_path / "ay_bot")
    return tmp_path


def test_only_the_bots_image_builds() -> None:
    assert find_sources() is None, "a developer's checkout says `make image` and waits for nobody's build"


def test_the_context_holds_what_the_box_is_made_of_and_no_more(source: Path, tmp_path: Path) -> None:
    assert find_sources() == source
    assert base_of(source) == "some-base:1"
    bundle = tmp_path / "authority.pem"
    bundle.write_text("certificate")
    with open_context(source, str(bundle)) as context, tarfile.open(fileobj=context) as tar:
        names = tar.getnames()
    assert {"Dockerfile", "scripts/make_runtime.py", "build/certificates.pem"} < set(names)
    assert {name.split("/")[1] for name in names if name.startswith("ay_bot/")} == set(CARRIED)
    assert not [name for name in names if "host" in name or "gateway" in name]


def test_what_the_dockerfile_copies_for_the_box_is_in_the_context(source: Path) -> None:
    box = (ROOT / "Dockerfile").read_text().partition(" AS bot-packages")[0]
    copied = {
        word.rstrip("*")
        for line in box.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    with open_context(source) as context, tarfile.open(fileobj=context) as tar:
        names = tar.getnames()
    for wanted in copied - {"build/certificates.pem"}:
        assert any(name == wanted or name.startswith(f"{wanted}/") for name in names), wanted


def test_a_build_that_fails_tells_the_engines_last_words() -> None:
    require_built([{"stream": "Step 1"}, {"aux": {"ID": "sha256:1"}}], "box:1")
    with pytest.raises(ImageUnavailable, match="box:1 is not on this engine and can't be built:\nStep 2\nno network"):
        require_built([{"stream": "Step 2\n"}, {"error": "no network"}, {"stream": "later"}], "box:1")
