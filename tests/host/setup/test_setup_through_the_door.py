"""A set-up with a network: packages come from the real registry through the proxy, and later boxes have no network."""

from pathlib import Path

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.image import image_name
from ay_bot.protocol.events import EgressAttempted
from tests.host.git_repositories import git, write_files
from tests.host.setup.conftest import Prepare

pytestmark = [pytest.mark.docker, pytest.mark.registry, pytest.mark.slow]

PACKAGE = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "mine"
version = "1"
[project.optional-dependencies]
test = ["six==1.17.0"]
[tool.setuptools]
packages = ["mine"]
"""
NETWORK = {"setup": {"mode": "allowlist", "presets": ["pip"]}}


def test_an_editable_install_with_extras_is_there_offline(project: Path, prepare: Prepare):
    write_files(project, {"pyproject.toml": PACKAGE, "mine/__init__.py": "VALUE = 1\n"})
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "package")
    looks = "python -c 'import six, mine; print(six.__version__, mine.__file__)'; cat /proc/net/dev; env"
    with prepare(setup="pip install -q -e .[test]", network=NETWORK, test=looks) as one:
        said = one.check().output
    assert "1.17.0 /work/mine/__init__.py" in said
    assert "eth0" not in said
    assert "proxy" not in said.lower(), "a box of the result is told of a proxy"
    asked = {record.event.host for record in one.events if isinstance(record.event, EgressAttempted)}
    assert asked == {"pypi.org", "files.pythonhosted.org"}


def test_what_is_not_allowed_is_refused_and_told(project: Path, prepare: Prepare):
    command = "pip download -q --no-deps --index-url https://registry.npmjs.org/ six"
    with pytest.raises(UsageError, match="failed with exit code"), prepare(setup=command, network=NETWORK) as one:
        pytest.fail(f"it was prepared: {one}")


def test_a_step_of_a_build_reaches_what_is_allowed_and_no_more(project: Path, prepare: Prepare):
    """Through the proxy, that is; the bundle of certificates of this machine is not in the image, so plain http."""
    fetch = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=20).status)"
    dockerfile = f"""\
FROM {image_name()}
COPY fetch.py /
RUN python /fetch.py http://deb.debian.org/debian/dists/bookworm/Release > /said
RUN python /fetch.py http://example.com/ >> /said 2>&1; python /fetch.py http://172.17.0.1/ >> /said 2>&1; true
RUN http_proxy= python /fetch.py http://deb.debian.org/debian/ >> /said 2>&1; cat /proc/net/route >> /said
"""
    write_files(project, {"Dockerfile": dockerfile, "fetch.py": fetch})
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Dockerfile")
    network = {"setup": {"mode": "allowlist", "presets": ["apt"]}}
    with prepare(image="dockerfile:Dockerfile", network=network, test="cat /said; env") as one:
        said = one.check().output
    assert said.startswith("200\n")
    assert said.count("403") >= 2
    assert "name resolution" in said
    assert "proxy=" not in said.lower()
