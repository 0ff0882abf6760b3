"""The image's name follows from its content, and the image holds what it should and no more."""

import shutil
import subprocess
from pathlib import Path

import pytest

import ay_bot
from ay_bot.host import image, runtime

LIBRARIES = {
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libcrypto.so.3",
    "libdl.so.2",
    "libexpat.so.1",
    "libffi.so.8",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libpython3.11.so.1.0",
    "librt.so.1",
    "libuuid.so.1",
    "libz.so.1",
}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "ay_bot"
    shutil.copytree(image.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(image, "PACKAGE", package)
    monkeypatch.setattr(image, "digest", image.digest.__wrapped__)
    return package


def test_the_name_has_version_and_digest() -> None:
    assert image.image_name() == f"ay-bot:{ay_bot.__version__}-{image.digest()}"
    assert image.runtime_volume() == f"ay-bot-runtime-{image.digest()}"
    assert len(image.digest()) == 12


@pytest.mark.parametrize("name", ["agent/commands.py", "protocol/messages.py", "errors.py", "agent/runtime.lock"])
def test_whatever_the_box_holds_changes_the_name(copy: Path, name: str) -> None:
    before = image.digest()
    with (copy / name).open("a") as file:
        file.write("# more\n")
    assert image.digest() != before


def test_what_the_box_does_not_hold_changes_nothing(copy: Path) -> None:
    before = image.digest()
    (copy / "host/pipeline.py").write_text("")
    (copy / "agent/__pycache__").mkdir(exist_ok=True)
    (copy / "agent/__pycache__/loop.pyc").write_bytes(b"x")
    assert image.digest() == before


def test_the_runtime_is_what_is_installed_here() -> None:
    places = {place for _, place in runtime.installed_packages()}
    assert {"pydantic", "pydantic_core", "typing_extensions.py", "ay_bot/agent", "ay_bot/errors.py"} <= places
    assert not {place for place in places if "host" in place or "gateway" in place}


@pytest.mark.docker
def test_the_images_runtime_needs_nothing_and_holds_no_more_than_it_needs() -> None:
    script = (
        "import os; root = '/opt/ay'; print(sorted(n for n in os.listdir(root + '/lib') if '.so' in n));"
        "print(sorted(os.listdir(root + '/packages/ay_bot')));"
        "print(sum(os.lstat(os.path.join(t, f)).st_size for t, _, fs in os.walk(root) for f in fs) >> 20)"
    )
    run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/opt/ay/bin/python3", image.image_name()]
    output = subprocess.run([*run, "-I", "-S", "-c", script], check=True, capture_output=True, text=True).stdout
    libraries, packages, size = output.splitlines()
    assert set(eval(libraries)) <= LIBRARIES
    assert set(eval(packages)) == {"__init__.py", "__pycache__", "agent", "errors.py", "protocol"}
    assert int(size) < 80
