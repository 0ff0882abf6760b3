"""The gateway's process: what it is given, how it ends, and what the host says when it ends too early."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ay_bot.errors import ModelFailed
from ay_bot.host.gateway_process import Gateway, command, model_environment
from ay_bot.protocol.conversation import UserMessage
from ay_bot.protocol.messages import Configure, ModelReply, ModelRequest, ModelSetting
from demo.scripted_model import ScriptedModel

REQUEST = ModelRequest(request_id=7, messages=(UserMessage(content="hello"),))


def gone(pid: int, seconds: float = 3.0) -> bool:
    """Whether a process ends within some time; a zombie has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_only_keys_and_connection_settings_are_passed_on():
    kept = {
        "OPENAI_API_KEY": "k",
        "openrouter_api_key": "k",
        "OPENAI_BASE_URL": "u",
        "OLLAMA_API_BASE": "u",
        "AWS_SESSION_TOKEN": "t",
        "AZURE_CLIENT_SECRET": "s",
        "VERTEXAI_PROJECT": "p",
        "GOOGLE_APPLICATION_CREDENTIALS": "f",
        "https_proxy": "p",
        "NO_PROXY": "*",
        "SSL_CERT_FILE": "f",
        "PATH": "/bin",
    }
    dropped = {
        "GITHUB_TOKEN": "t",
        "GITHUB_API_KEY": "t",
        "GH_TOKEN": "t",
        "INPUT_GITHUB_TOKEN": "t",
        "ACTIONS_RUNTIME_TOKEN": "t",
        "ACTIONS_RESULTS_API_BASE": "t",
        "CI_JOB_TOKEN": "t",
        "NPM_TOKEN": "t",
        "HOME": "/home/x",
        "PYTHONPATH": "/evil",
        "LD_PRELOAD": "/evil",
        "LITELLM_LOG": "DEBUG",
    }
    assert model_environment({**kept, **dropped}) == kept


def test_the_process_holds_no_more_than_that_and_no_key_in_its_arguments():
    with Gateway.start({"OPENAI_API_KEY": "sk-secret", "GITHUB_TOKEN": "ghs", "HOME": "/h", "PATH": "/bin"}) as gateway:
        process = Path(f"/proc/{gateway.process.pid}")
        while not (held := process.joinpath("environ").read_bytes()):  # nothing until the program has begun
            assert gateway.process.poll() is None
        environment = held.split(b"\0")
        assert {item for item in environment if item} == {b"OPENAI_API_KEY=sk-secret", b"PATH=/bin"}
        assert b"sk-secret" not in process.joinpath("cmdline").read_bytes()
        assert process.joinpath("cwd").readlink() == Path("/")


def test_starting_imports_nothing_heavy():
    program = (
        "import sys\n"
        "from ay_bot.host.gateway_process import Gateway\n"
        "gateway = Gateway.start({})\n"
        "print(*{'pydantic', 'ay_bot.protocol', 'ay_bot.errors', 'json', 'asyncio'} & set(sys.modules))\n"
        "gateway.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("pause", [0, 0.15, 0.4])
def test_end_of_input_ends_the_process_at_once_even_while_it_loads(pause):
    process = subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env={}, cwd="/")
    time.sleep(pause)
    process.communicate()
    assert process.wait(timeout=2) == 0


def test_a_gateway_that_is_not_needed_after_all_costs_no_wait():
    gateway = Gateway.start({})
    started = time.monotonic()
    gateway.close()
    assert time.monotonic() - started < 1.0
    assert gone(gateway.process.pid)


def test_a_request_that_hangs_does_not_keep_the_process_alive():
    with ScriptedModel({"side": [{"fault": "hang", "delay": 30}]}) as model:
        gateway = Gateway.start({})
        gateway.configure(Configure(roles={"main": ModelSetting(model="openai/m", api_base=model.api_base)}))
        gateway.wait_ready()
        assert gateway.wait_ready() == gateway.wait_ready()
        failures: list[ModelFailed] = []

        def ask() -> None:
            try:
                gateway.ask(REQUEST)
            except ModelFailed as failure:
                failures.append(failure)

        thread = threading.Thread(target=ask)
        thread.start()
        while not model.requests:
            time.sleep(0.01)
        started = time.monotonic()
        gateway.close()
        thread.join(2)
        assert time.monotonic() - started < 1.0
        assert len(failures) == 1


def test_the_process_ends_with_a_host_that_is_killed():
    program = (
        "import time\n"
        "from ay_bot.host.gateway_process import Gateway\n"
        "print(Gateway.start({}).process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        host.kill()
    assert gone(pid)


def test_a_gateway_that_dies_is_a_model_failure_with_its_last_words():
    with Gateway.start({"OPENAI_API_KEY": "sk-secret-key"}) as gateway:
        gateway.configure(Configure(roles={"main": ModelSetting(model="openai/m", api_base="http://127.0.0.1:9/v1")}))
        gateway.wait_ready()
        gateway._log.add(b"cannot use sk-secret-key\n")
        os.kill(gateway.process.pid, signal.SIGKILL)
        with pytest.raises(ModelFailed, match="ended before it answered") as caught:
            gateway.ask(REQUEST)
        assert "cannot use [redacted]" in str(caught.value)
        assert "sk-secret-key" not in str(caught.value)
        with pytest.raises(ModelFailed):
            gateway.ask(REQUEST)


def test_a_gateway_that_dies_early_is_a_model_failure_too():
    with Gateway.start({}) as gateway:
        os.kill(gateway.process.pid, signal.SIGKILL)
        gateway.process.wait()
        with pytest.raises(ModelFailed):
            _configure_and_wait(gateway)


def _configure_and_wait(gateway: Gateway) -> None:
    gateway.configure(Configure(roles={}))
    gateway.wait_ready()


def test_a_stray_print_does_not_break_the_channel():
    """Whatever litellm prints goes to the log: descriptor 1 is not the channel any more."""
    with ScriptedModel({"side": ["fine"]}) as model, Gateway.start({}) as gateway:
        gateway.configure(Configure(roles={"main": ModelSetting(model="openai/m", api_base=model.api_base)}))
        gateway.wait_ready()
        descriptors = Path(f"/proc/{gateway.process.pid}/fd")
        assert (descriptors / "1").readlink() == (descriptors / "2").readlink()
        assert isinstance(gateway.ask(REQUEST), ModelReply)


def test_the_command_needs_nothing_of_the_callers_python():
    done = subprocess.run(command(), input=b"not json\n", env={}, cwd="/", capture_output=True, check=False, timeout=60)
    assert b"Traceback" not in done.stdout
    assert done.stdout == b""
