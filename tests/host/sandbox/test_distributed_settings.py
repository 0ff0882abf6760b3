"""What of a distribution's settings a bubblewrap box shows: enough for its toolchains to start, and no secrets."""

import os
import shutil
from pathlib import PurePath

import pytest

from ay_bot.host.egress import proxy_environment
from ay_bot.host.sandbox.mounts import DISTRIBUTED, SETTINGS
from ay_bot.host.sandbox_exec import Wanted, run


@pytest.mark.parametrize(
    "name",
    [
        "maven/settings.xml", "java-17-openjdk/management/jmxremote.password", "php/8.2/cli/php.ini", "shadow", "passwd",
        "docker/key.json", "ssh/ssh_host_rsa_key", "ssl/private/key.pem", "environment", "krb5.keytab",
    ],
)  # fmt: skip
def test_nothing_that_may_hold_a_secret_is_shown(name: str) -> None:
    shown = [*DISTRIBUTED, *(path.removeprefix("/etc/") for path in SETTINGS)]
    parts = [part for part in (PurePath(name), *PurePath(name).parents) if part.name]
    assert not [pattern for pattern in shown if any(part.match(f"/{pattern}") or part.match(pattern) for part in parts)]


@pytest.mark.bwrap
@pytest.mark.parametrize(
    ("program", "command", "said"),
    [
        ("keytool", "keytool -list", "Keystore file does not exist"),
        ("mvn", "mvn --version", "Apache Maven"),
        ("composer", "composer --version", "Composer version"),
    ],
)
def test_toolchains_of_the_distribution_start(program: str, command: str, said: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    assert said in run(["sh", "-c", command], os.environ, Wanted(sandbox="bubblewrap")).output


def test_programs_that_start_a_java_are_told_of_the_proxy() -> None:
    variables = proxy_environment()
    for name in ("MAVEN_OPTS", "GRADLE_OPTS"):
        assert variables[name] == (
            "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=3128 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=3128"
        )
