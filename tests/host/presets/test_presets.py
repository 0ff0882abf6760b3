"""Each package manager's own client, with its default settings, through the proxy and under its preset."""

import os
import pwd
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import pytest

from ay_bot.host.egress.presets import read_preset
from ay_bot.host.egress.rules import PresetName
from ay_bot.host.sandbox_exec import Wanted, run
from tests.host.egress.conftest import require_proxy
from tests.host.git_repositories import make_repository
from tests.host.presets import packages
from tests.host.presets.loopback_registry import open_registry

HOME = pwd.getpwuid(os.getuid()).pw_dir
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SLOW = frozenset({"uv", "yarn", "pnpm", "maven", "gradle", "apt"})
"""Three to ten seconds each, most of them for getting the client itself: `make presets` runs these, too."""
TRUST = "keytool -importcert -noprompt -alias x -file /work/ca.pem -keystore /tmp/trust -storepass changeit 2>/dev/null"
JAVA = "-Djavax.net.ssl.trustStore=/tmp/trust -Djavax.net.ssl.trustStorePassword=changeit"


@dataclass(frozen=True)
class Case:
    """What a client does in the box, and what is in its workspace. Without `registry` it asks the real one."""

    client: str
    script: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    registry: dict[str, bytes] = field(default_factory=dict)
    prints: str = ""


CASES = {
    "pip": Case("python3", "PIP_CERT=/work/ca.pem python3 -m pip download -q --no-deps -d /tmp/x six==1.16.0; ls /tmp/x",
                prints="six-1.16.0-py2.py3-none-any.whl"),
    "uv": Case("python3", """
export PIP_CERT=/work/ca.pem SSL_CERT_FILE=/work/ca.pem UV_CACHE_DIR=/tmp/cache
python3 -m pip install -q --target /tmp/uv uv && /tmp/uv/bin/uv pip install --target /tmp/x six==1.16.0; ls /tmp/x""",
               prints="six.py"),
    "npm": Case("npm", "NODE_EXTRA_CA_CERTS=/work/ca.pem npm install --cache /tmp/c left-pad@1.3.0; ls node_modules",
                {"package.json": '{"name": "x", "version": "1.0.0"}'}, prints="left-pad"),
    "yarn": Case("npm", """
export NODE_EXTRA_CA_CERTS=/work/ca.pem HOME=/tmp
npm install --silent --cache /tmp/c --prefix /tmp/yarn yarn@1.22.22 && /tmp/yarn/node_modules/.bin/yarn add left-pad@1.3.0
ls node_modules""", {"package.json": '{"name": "x", "version": "1.0.0"}'}, prints="left-pad"),
    "pnpm": Case("npm", """
export NODE_EXTRA_CA_CERTS=/work/ca.pem HOME=/tmp
npm install --silent --cache /tmp/c --prefix /tmp/pnpm pnpm@9.15.0 && /tmp/pnpm/node_modules/.bin/pnpm add left-pad@1.3.0
ls node_modules""", {"package.json": '{"name": "x", "version": "1.0.0"}'}, prints="left-pad"),
    "cargo": Case("cargo", "export CARGO_HOME=/tmp/.cargo CARGO_HTTP_CAINFO=/work/ca.pem; cargo fetch && ls /tmp/.cargo/registry/cache/*",
                  {"Cargo.toml": '[package]\nname = "x"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\naycrate = "1"\n',
                   "src/main.rs": "fn main() {}\n"}, packages.cargo(), "aycrate-1.0.0.crate"),
    "go": Case("go", "export HOME=/tmp SSL_CERT_FILE=/work/ca.pem GONOSUMDB=github.com/ay GOFLAGS=-mod=mod; go get github.com/ay/four && go run .",
               {"go.mod": "module x\n\ngo 1.18\n", "main.go": 'package main\n\nimport "github.com/ay/four"\n\nfunc main() { println("it is", four.Four) }\n'},
               packages.go(), "it is 4"),
    "maven": Case("mvn", f"{TRUST}; MAVEN_OPTS=\"$MAVEN_OPTS {JAVA}\" mvn -B -q -Dmaven.repo.local=/tmp/m2 validate && find /tmp/m2 -name '*.pom'",
                  {"pom.xml": """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<parent><groupId>org.ay</groupId><artifactId>parent</artifactId><version>1.0</version><relativePath/></parent>
<artifactId>x</artifactId><packaging>pom</packaging>
<dependencyManagement><dependencies><dependency><groupId>org.ay</groupId><artifactId>versions</artifactId>
<version>1.0</version><type>pom</type><scope>import</scope></dependency></dependencies></dependencyManagement></project>"""},
                  packages.maven(), "versions-1.0.pom"),
    "gradle": Case("gradle", f"{TRUST}; export GRADLE_USER_HOME=/tmp/g; GRADLE_OPTS=\"$GRADLE_OPTS {JAVA}\" gradle --no-daemon -q show",
                   {"settings.gradle": "rootProject.name = 'x'\n",
                    "build.gradle": "repositories { mavenCentral() }\nconfigurations { four }\ndependencies { four 'org.ay:four:1.0' }\n"
                    "task show { doLast { configurations.four.files.each { println it.name } } }\n"},
                   packages.maven(), "four-1.0.jar"),
    "bundler": Case("bundle", "export HOME=/tmp SSL_CERT_FILE=/work/ca.pem BUNDLE_PATH=/tmp/b; bundle install && bundle exec ruby -e 'require \"aygem\"; puts \"it is #{FOUR}\"'",
                    {"Gemfile": 'source "https://rubygems.org"\ngem "aygem"\n'}, packages.bundler(), "it is 4"),
    "composer": Case("composer", "export COMPOSER_HOME=/tmp/c SSL_CERT_FILE=/work/ca.pem; composer install -n --no-progress && ls vendor/ay/four",
                     {"composer.json": '{"require": {"ay/four": "1.0.0"}}'}, packages.composer(), "four.php"),
    "apt": Case("apt-get", """
mkdir -p /tmp/a/lists/partial /tmp/a/cache/archives/partial /tmp/a/etc
echo 'deb [trusted=yes] http://deb.debian.org/debian bookworm main' > /tmp/a/etc/sources.list
set -- -o Dir::State=/tmp/a -o Dir::State::lists=/tmp/a/lists -o Dir::Cache=/tmp/a/cache -o Dir::State::status=/tmp/a/status \
 -o Dir::Etc::sourcelist=/tmp/a/etc/sources.list -o Dir::Etc::sourceparts=- -o APT::Sandbox::User= -o Acquire::Languages=none
touch /tmp/a/status
apt-get "$@" -qq update && apt-get "$@" -qq download hello; ls""", prints="hello_"),
}  # fmt: skip


def find_reason(name: str, driver: str, case: Case) -> str:
    """Why a case can't or needn't run here, or nothing."""
    if name in SLOW and os.environ.get("AY_PRESETS") != "all":
        return "it takes long; make presets runs it"
    there = driver == "docker" or shutil.which(case.client, path=f"{os.environ['PATH']}:{HOME}/.cargo/bin")
    return "" if there else f"{case.client} is not installed"


def name_cases() -> Iterator[object]:
    """Every case on bubblewrap, which shows this machine's clients, and the client that our image has on Docker."""
    for name, case in CASES.items():
        real = () if case.registry else (pytest.mark.registry,)
        yield pytest.param(name, "bubblewrap", marks=(pytest.mark.bwrap, *real), id=name)
    yield pytest.param("pip", "docker", marks=(pytest.mark.docker, pytest.mark.registry), id="pip-docker")


@pytest.mark.parametrize(("name", "driver"), list(name_cases()))
def test_a_package_manager_works_under_its_preset(name: str, driver: str, tmp_path: Path) -> None:
    case = CASES[name]
    if reason := find_reason(name, driver, case):
        pytest.skip(reason)
    require_proxy(driver)
    laboratory, certificate = None, SYSTEM_CERTIFICATES.read_bytes()
    if case.registry:
        laboratory, certificate = open_registry(case.registry, tmp_path / "keys")
    repository = make_repository(tmp_path / "repository", {**case.files, "ca.pem": certificate})
    surroundings = {**os.environ, "HOME": HOME}
    wanted = Wanted(sandbox=driver, network=name, laboratory=laboratory, repository=repository, timeout=300)
    done = run(["sh", "-c", case.script], surroundings, wanted)
    assert case.prints in done.output, done.output
    assert done.exit_code == 0
    asked = {attempt.host for attempt in done.attempts if attempt.allowed}
    assert asked
    assert all(any(rule.covers(host) for rule in read_preset(name)) for host in asked)  # type: ignore[arg-type]
    kind = "loopback" if case.registry else "real"
    print(f"\n{name} on {driver}: {kind} registry, asked {', '.join(sorted(asked))}; {done.seconds:.1f} s")


@pytest.mark.bwrap
def test_without_its_preset_a_package_manager_gets_nothing(tmp_path: Path) -> None:
    case = CASES["cargo"]
    if reason := find_reason("cargo", "bubblewrap", case):
        pytest.skip(reason)
    require_proxy("bubblewrap")
    laboratory, certificate = open_registry(case.registry, tmp_path / "keys")
    repository = make_repository(tmp_path / "repository", {**case.files, "ca.pem": certificate})
    surroundings = {**os.environ, "HOME": HOME}
    wanted = Wanted(sandbox="bubblewrap", network="npm", laboratory=laboratory, repository=repository, timeout=300)
    done = run(["sh", "-c", f"export CARGO_NET_RETRY=0; {case.script}"], surroundings, wanted)
    assert done.exit_code != 0
    assert {(one.host, one.allowed, one.rule) for one in done.attempts} == {("index.crates.io", False, "name")}
    assert done.attempts[0].fix == "add `- index.crates.io` to `network.setup.hosts`"


def test_every_preset_has_a_case() -> None:
    assert set(CASES) == set(get_args(PresetName))
