"""The whole job on images that hold next to nothing: no C library, no Python, or a Python older than ours."""

import io
import json
import os
import pwd
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import docker
import pytest
from bot_runs import Bot, commit_all
from scripted_answers import call, finish, serve

pytestmark = pytest.mark.docker

BUSYBOX = "ay-bot-test:busybox"
NODE = "ay-bot-test:node"
OLDER = "ay-bot-test:older-python"
OLDER_PYTHONS = ("3.9", "3.8", "3.10", "3.7")

SEES_NOTHING = "! env | grep -q /opt/ay && ! grep -q /opt/ay /proc/self/maps && case $PATH in *opt/ay*) false;; esac"
"""Children of the agent's program have nothing of its runtime: not in their environment, and not loaded."""


def find_busybox() -> Path:
    found = shutil.which("busybox")
    if not found:
        pytest.skip("no busybox on this machine: scripts/install-engine installs busybox-static")
    said = subprocess.run(["ldd", found], capture_output=True, text=True, check=False)
    if "not a dynamic" not in said.stdout + said.stderr:
        pytest.skip(f"{found} is not static")
    return Path(found)


def libraries_of(program: Path) -> Iterator[Path]:
    """The shared libraries that a program loads, and its loader."""
    for line in subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout.splitlines():
        word = line.split("=>")[-1].split()
        if word and word[0].startswith("/"):
            yield Path(word[0])


def make_image(name: str, files: Iterable[tuple[Path, str]], environment: tuple[str, ...] = ()) -> None:
    """Import an image that holds busybox under its usual names, and these files and directories."""
    busybox = find_busybox()
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(busybox, "bin/busybox")
        for applet in set(applets) - {"busybox"}:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for place, source in {place: source for source, place in files}.items():
            tar.add(source, place.removeprefix("/"), filter=without_tests)
    client = docker.APIClient(version="auto", timeout=300)
    try:
        client.import_image_from_data(
            packed.getvalue(), repository=name.partition(":")[0], tag=name.partition(":")[2],
            changes=[f"ENV {variable}" for variable in environment],
        )  # fmt: skip
    finally:
        client.close()


def without_tests(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = set(member.name.split("/"))
    return None if parts & {"test", "tests", "__pycache__", "idlelib", "ensurepip", "site-packages"} else member


@pytest.fixture
def image() -> Iterator[Callable[..., str]]:
    """Make an image and remove it at the end."""
    made = []

    def make(name: str, files: Iterable[tuple[Path, str]] = (), environment: tuple[str, ...] = ()) -> str:
        make_image(name, files, environment)
        made.append(name)
        return name

    yield make
    client = docker.APIClient(version="auto")
    for name in made:
        client.remove_image(name, force=True)
    client.close()


def do_the_job(bot: Bot, directory: Path, image: str, edit: tuple[str, str, str], test: str) -> None:
    """An agent edits a file, and looks around; base, candidate and verdict are by the exit code alone."""
    path, old, new = edit
    commit_all(directory)
    looks = f"{SEES_NOTHING} && echo sees-nothing; cat /proc/1/maps; id -u"
    script = [
        call("shell", command=looks),
        call("edit", path=path, edits=[{"search": old, "replace": new}]),
        call("run_tests"),
        finish(),
    ]
    with serve(script) as model:
        ended = bot.run(
            directory, api_base=model.api_base, sandbox="docker", image=image, test=f"{SEES_NOTHING} && {test}"
        )
        told = model.said_to_it()
    assert ended.exit_code == 0, ended.stderr
    assert ended.result["status"] == "verified"
    assert "exit code" in json.dumps(ended.result["verification"])
    assert "sees-nothing" in told
    assert "Permission denied" in told
    assert ended.diff.count(b"diff --git") == 1


def test_the_whole_job_on_an_image_that_holds_a_static_busybox_alone(bot: Bot, image, tmp_path: Path):
    project = tmp_path / "shell"
    project.mkdir()
    (project / "add.sh").write_text("echo $(($1 - $2))\n")
    (project / "check.sh").write_text('[ "$(sh add.sh 2 3)" = 5 ] || { echo wrong; exit 1; }\n')
    do_the_job(bot, project, image(BUSYBOX), ("add.sh", "$1 - $2", "$1 + $2"), "sh check.sh")


def test_the_whole_job_on_an_image_with_node_and_without_python(bot: Bot, image, tmp_path: Path):
    node = shutil.which("node")
    if not node:
        pytest.skip("no node on this machine")
    program = Path(node).resolve()
    files = [(program, "/usr/bin/node"), *((path.resolve(), str(path)) for path in libraries_of(program))]
    project = tmp_path / "node"
    project.mkdir()
    (project / "add.js").write_text("exports.add = (a, b) => a - b\n")
    (project / "add.test.js").write_text(
        "const test = require('node:test'), assert = require('node:assert'), {add} = require('./add')\n"
        "test('add', () => assert.equal(add(2, 3), 5))\n"
    )
    test = "! command -v python3 && node --test"
    do_the_job(bot, project, image(NODE, files, ("PATH=/usr/bin:/bin",)), ("add.js", "a - b", "a + b"), test)


def test_the_whole_job_on_an_image_with_a_python_older_than_ours(bot: Bot, image, tmp_path: Path):
    prefix, version = find_older_python()
    program = prefix / f"bin/python{version}"
    standard = prefix / f"lib/python{version}"
    needed = {path for file in (program, *standard.rglob("*.so")) for path in libraries_of(file)}
    files = [(program, str(program)), (standard, str(standard))]
    files += [(path.resolve(), str(path)) for path in sorted(needed)]
    project = tmp_path / "older"
    project.mkdir()
    (project / "add.py").write_text("def add(a, b):\n    return a - b\n")
    (project / "test_add.py").write_text(
        "import sys, unittest\nfrom add import add\n\n\nclass Test(unittest.TestCase):\n"
        f"    def test_add(self):\n        self.assertEqual(sys.version_info[:2], {tuple(map(int, version.split('.')))})\n"
        "        self.assertEqual(add(2, 3), 5)\n"
    )
    name = image(OLDER, files, (f"PATH={prefix}/bin:/bin",))
    do_the_job(bot, project, name, ("add.py", "a - b", "a + b"), f"python{version} -m unittest")


def find_older_python() -> tuple[Path, str]:
    """The prefix and version of an interpreter that is older than the box's own."""
    homes = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv/versions"
    for version in OLDER_PYTHONS:
        candidates = [Path("/usr"), Path("/usr/local"), *sorted(homes.glob(f"{version}.*"))]
        for prefix in candidates:
            if (prefix / f"bin/python{version}").is_file():
                return prefix, version
    pytest.skip(f"none of Python {', '.join(OLDER_PYTHONS)} is on this machine")
