"""The bot's image: it starts quickly, and holds nothing that runs by itself or that it has no use for."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.action.conftest import Checkout
from tests.action.stage import ROOT, docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]
CHECK = ROOT / "scripts" / "check_start_files.py"


def seconds(*words: str) -> float:
    began = time.monotonic()
    docker("run", "--rm", "--network", "none", *words)
    return time.monotonic() - began


def test_the_entrypoint_adds_less_than_a_second(action_checkout: Checkout) -> None:
    bare = min(seconds("--entrypoint", "true", action_checkout.bot) for _ in range(3))
    started = min(seconds(action_checkout.bot, "--help") for _ in range(3))
    print(f"docker run true {bare:.2f} s, entrypoint {started:.2f} s")
    assert started - bare < 1.0


def test_an_event_that_is_not_for_us_ends_within_half_a_second(action_checkout: Checkout, tmp_path: Path) -> None:
    """Beyond what docker itself takes; the composite action doesn't even start the image for these."""
    event = {"action": "created", "issue": {"number": 1, "title": "", "body": ""}, "comment": {"id": 1, "body": "Hi"}}
    (tmp_path / "event.json").write_text(
        json.dumps({**event, "repository": {"full_name": "o/r"}, "sender": {"login": "m"}})
    )
    given = {
        "GITHUB_EVENT_NAME": "issue_comment", "GITHUB_EVENT_PATH": "/event.json", "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "1", "INPUT_GITHUB-TOKEN": "x", "GITHUB_API_URL": "https://127.0.0.1:9",
    }  # fmt: skip
    options = [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
    mount = ("--mount", f"type=bind,source={tmp_path}/event.json,target=/event.json,readonly")
    bare = min(seconds("--entrypoint", "true", action_checkout.bot) for _ in range(4))
    started = min(seconds(*options, *mount, action_checkout.bot) for _ in range(4))
    print(f"docker run true {bare:.2f} s, not for us {started:.2f} s")
    assert started - bare < 0.5


def test_at_46_no_file_runs_at_the_start_of_the_images_python(action_checkout: Checkout) -> None:
    run = ["run", "--rm", "--network", "none", "--entrypoint", "/opt/bot/bin/python3", action_checkout.bot]
    docker(*run, "-I", "-S", "/opt/bot/source/scripts/check_start_files.py")
    script = "import site, sys; sys.exit(any(n in sys.modules for n in ('sitecustomize', 'usercustomize', 'litellm')))"
    docker(*run, "-I", "-c", script)
    first = (ROOT / "scripts" / "ay-bot-in-image").read_text().splitlines()[0]
    assert first == "#!/opt/bot/bin/python3 -IS", "nor would it run if somebody brought one later"


@pytest.mark.parametrize("name", ["litellm_init.pth", "sitecustomize.py", "usercustomize.cpython-311.so"])
def test_at_46_a_build_that_brings_such_a_file_fails(action_checkout: Checkout, name: str) -> None:
    """The very command of the Dockerfile, in a container where a package has left one."""
    script = (
        f"cd /opt/bot/lib/python3.*/site-packages && touch {name} && "
        "/opt/bot/bin/python3 -I -S /opt/bot/source/scripts/check_start_files.py"
    )
    run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", action_checkout.bot, "-c", script]
    ran = subprocess.run(run, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert f"{name} would run at the start of every Python" in ran.stderr
    assert str(CHECK.name) in (ROOT / "Dockerfile").read_text()


def test_the_image_holds_the_bot_and_no_installer(action_checkout: Checkout) -> None:
    script = "import importlib.util as u; print([n for n in ('pip', 'setuptools', 'wheel') if u.find_spec(n)])"
    run = ["run", "--rm", "--network", "none", "--entrypoint"]
    assert docker(*run, "/opt/bot/bin/python3", action_checkout.bot, "-I", "-c", script) == "[]"
    held = docker(*run, "ls", action_checkout.bot, "/opt/bot/source", "/opt/bot/source/scripts").split()
    assert set(held) - {"/opt/bot/source:", "/opt/bot/source/scripts:"} == {
        "ay_bot", "base", "Dockerfile", "scripts", "ay-bot-in-image", "check_start_files.py", "make_runtime.py",
    }  # fmt: skip
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", action_checkout.bot))
    assert config["Entrypoint"] == ["/usr/local/bin/ay-bot", "action"]
    assert not config.get("ExposedPorts")
    assert not [variable for variable in config["Env"] if "TOKEN" in variable or "KEY" in variable]


def test_the_image_knows_the_box_that_was_built_with_it(action_checkout: Checkout) -> None:
    run = ["run", "--rm", "--network", "none", "--entrypoint", "/opt/bot/bin/python3", action_checkout.bot]
    assert docker(*run, "-I", "-m", "ay_bot.host.image") == action_checkout.box


def test_variables_of_the_job_run_nothing_in_the_bot(action_checkout: Checkout) -> None:
    """A container action gets every variable of the job, and setup actions set some that Python heeds."""
    evil = ["PYTHONPATH=/evil", "PYTHONSTARTUP=/evil/x.py", "PYTHONHOME=/evil", "PYTHONINSPECT=1", "PATH=/evil"]
    options = [word for each in evil for word in ("--env", each)]
    assert "Usage: ay-bot action" in docker("run", "--rm", "--network", "none", *options, action_checkout.bot, "--help")


def get_images(checkout: Checkout, tmp_path: Path, **images: str) -> subprocess.CompletedProcess[str]:
    output = tmp_path / "output"
    output.touch()
    script = checkout.path / "scripts" / "action-images"
    given = {**os.environ, **images, "GITHUB_OUTPUT": str(output)}
    return subprocess.run([script], env=given, capture_output=True, text=True, check=False)


def test_images_are_pulled_by_digest_alone(action_checkout: Checkout, tmp_path: Path) -> None:
    for name in ("BOX_IMAGE", "BOT_IMAGE"):
        ran = get_images(action_checkout, tmp_path, **{name: "someone/ay-bot:latest"})
        assert ran.returncode == 2
        assert "only NAME@sha256:DIGEST is pulled" in ran.stderr
    assert (tmp_path / "output").read_text() == ""


def test_a_published_box_image_gets_the_name_that_the_bot_looks_for(action_checkout: Checkout, tmp_path: Path) -> None:
    """It is on this engine already, as after a pull."""
    docker("tag", action_checkout.box, "ay-bot-published:test")
    try:
        ran = get_images(action_checkout, tmp_path, BOX_IMAGE="ay-bot-published:test", BOT_IMAGE=action_checkout.bot)
    finally:
        docker("image", "rm", "ay-bot-published:test")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "output").read_text() == f"bot={action_checkout.bot}\n"


def test_the_bot_builds_the_boxes_image_where_it_is_missing(action_checkout: Checkout) -> None:
    """The box image under another name is missing; as a container action, nobody has built it before."""
    script = (
        "from ay_bot.host import image; image.REPOSITORY = 'ay-bot-trial';"
        "from ay_bot.host.environment import environment; from ay_bot.host.sandbox.docker import connect;"
        "connect(environment()).resolve_image(''); print(image.image_name())"
    )
    authority = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    trust = ["-v", f"{authority}:/authority.pem:ro", "-e", "SSL_CERT_FILE=/authority.pem"] if authority else []
    command = ["run", "--rm", "-v", "/var/run/docker.sock:/var/run/docker.sock", *trust, "--entrypoint"]
    try:
        name = docker(*command, "/opt/bot/bin/python3", action_checkout.bot, "-I", "-c", script, seconds=600)
        assert name == action_checkout.box.replace("ay-bot:", "ay-bot-trial:")
        listed = docker("run", "--rm", "--entrypoint", "/opt/ay/bin/python3", name, "-I", "-S", "-c", "print('box')")
        assert listed == "box"
    finally:
        docker(
            "image",
            "rm",
            *docker("images", "--format", "{{.Repository}}:{{.Tag}}", "ay-bot-trial").split(),
            check=False,
        )
