"""Files that Python runs by itself: those that nobody expects end every command before a key is used."""

import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from ay_bot.errors import UsageError
from ay_bot.protocol.start_files import ALLOWANCE, require_expected, searched_directories, unexpected

ROOT = Path(__file__).parents[2]
SETUPTOOLS = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim(); \n"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory of packages."""
    directory = tmp_path / "lib" / "site-packages"
    directory.mkdir(parents=True)
    return directory


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("litellm_init.pth", "import os; os.system('curl …')"),
        ("x.pth", "/some/where\nimport os\n"),
        ("x.pth", "import\tos"),
        ("x.pth", "\ufeffimport os"),
        ("x.pth", SETUPTOOLS + "import os"),
        (".hidden.pth", "import os"),
        ("x.start", "os:getcwd"),
        ("sitecustomize.py", ""),
        ("usercustomize.py", "pass"),
        ("sitecustomize.cpython-311-x86_64-linux-gnu.so", ""),
        ("usercustomize/__init__.py", ""),
        ("big.pth", "/a\n" * 40_000),
    ],
)
def test_at_46_a_file_that_nobody_expects_is_found(site, name, content):
    path = site / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    top = site / name.split("/")[0]
    assert unexpected([str(site)]) == [str(top)]
    assert unexpected([str(site)], [sha256(b"another").hexdigest(), ""]) == [str(top)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("_editable_impl_ay_bot.pth", "/home/me/ay-bot"),
        ("a.pth", "# imported from elsewhere\n/home/me/importer\n"),
        ("distutils-precedence.pth", SETUPTOOLS),
        ("_virtualenv.pth", "import _virtualenv"),
        ("sitecustomize_of_mine.py", ""),
        ("model.pth.tar", ""),
    ],
)
def test_what_is_known_or_runs_nothing_is_expected(site, name, content):
    (site / name).write_text(content)
    assert unexpected([str(site)]) == []


def test_a_file_is_allowed_by_its_exact_content(site):
    (site / "mine.pth").write_text("import mine")
    allowed = sha256(b"import mine").hexdigest()
    assert unexpected([str(site)], [allowed]) == []
    (site / "mine.pth").write_text("import mine, os")
    assert unexpected([str(site)], [allowed]) == [str(site / "mine.pth")]


def test_a_model_file_elsewhere_is_no_start_file(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"import os")
    assert unexpected([str(tmp_path), str(tmp_path / "not-there")]) == []


def test_this_environment_is_expected_and_looking_costs_no_more_than_five_milliseconds():
    require_expected({})
    assert str(Path(os.__file__).parent) in searched_directories()
    taken = []
    for _ in range(20):
        began = time.perf_counter()
        require_expected({})
        taken.append(time.perf_counter() - began)
    assert min(taken) < 0.005


def test_at_46_one_that_ran_and_hid_itself_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "usercustomize", type(sys)("usercustomize"))
    with pytest.raises(UsageError, match="`usercustomize` by itself"):
        require_expected({})


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has what this one has, and its own directory of packages."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(place)], check=True)
    packages = next(place.glob("lib/python3*/site-packages"))
    (packages / "ours.pth").write_text(
        "\n".join(place for place in sys.path if place.endswith("site-packages")) + f"\n{ROOT}\n"
    )
    return place


def test_at_46_nothing_is_done_where_such_a_file_ran(environment, tmp_path):
    """Every command refuses, says where it is, and that it has run; the same command goes on once it is gone or known."""
    packages = next(environment.glob("lib/python3*/site-packages"))
    stranger, trace = packages / "litellm_init.pth", tmp_path / "trace"
    content = (
        f"import os; open({str(trace)!r}, 'a').write(f'{{os.getpid()}} {{os.environ.get(\"OPENAI_API_KEY\")}}\\n')\n"
    )

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OPENAI_API_KEY": "sk-of-mine", **more}
        command = [environment / "bin" / "python", "-I", "-m", "ay_bot", *arguments]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False, cwd=tmp_path)

    stranger.write_text(content)
    try:
        for arguments in (["--version"], ["run", "--task", "x", "--model", "openai/x"], ["action"]):
            refused = run(*arguments)
            assert refused.returncode == 2
            assert f"`{stranger}`" in refused.stderr
            assert "It ran before ay-bot could look" in refused.stderr
            assert "sk-of-mine" not in refused.stdout + refused.stderr
        ran = set(trace.read_text().splitlines())
        assert len(ran) == 3, "no more than the host's own starts"
        assert all(line.endswith(" sk-of-mine") for line in ran), "it has seen the key, as the message says"
        allowed = run("--version", **{ALLOWANCE: sha256(content.encode()).hexdigest()})
        assert allowed.returncode == 0, allowed.stderr
    finally:
        stranger.unlink()
    assert run("--version").returncode == 0


def test_at_46_no_such_file_runs_where_the_models_keys_are(environment, tmp_path):
    """The gateway starts without `site`: even a file that the host was told to trust does not run there."""
    packages = next(environment.glob("lib/python3*/site-packages"))
    stranger, trace = packages / "x.pth", tmp_path / "trace"
    stranger.write_text(f"import os; open({str(trace)!r}, 'a').write(f'{{os.getpid()}}\\n')\n")
    program = (
        "import os\n"
        "from ay_bot.host.gateway_process import Gateway\n"
        "from ay_bot.protocol.messages import Configure\n"
        "with Gateway.start({'OPENAI_API_KEY': 'sk-of-mine'}) as gateway:\n"
        "    gateway.configure(Configure(roles={}))\n"
        "    gateway.wait_ready()\n"
        "    print(os.getpid(), gateway.process.pid)\n"
    )
    try:
        command = [environment / "bin" / "python", "-I", "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    finally:
        stranger.unlink()
    assert done.returncode == 0, done.stderr
    host, _gateway = done.stdout.split()
    assert set(trace.read_text().split()) == {host}
