"""Which of the user's directories a bubblewrap box shows."""

import sys
from pathlib import Path

import pytest

from ay_bot.host.sandbox.toolchain import Finder, base_of, has_pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home outside of the places that boxes use for themselves, as far as the finder can tell."""
    monkeypatch.setattr("ay_bot.host.sandbox.toolchain.TAKEN", ("/work", "/opt/ay"))
    monkeypatch.setattr(sys, "prefix", "/usr")
    made = tmp_path / "user"
    made.mkdir()
    return made


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def environment(place: Path, *, pytest_too: bool = False, base: Path | None = None) -> Path:
    program(place / "bin/python3")
    if base:
        (place / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = 3.11.2\n")
    (place / "lib/python3.11/site-packages").mkdir(parents=True)
    if pytest_too:
        (place / "lib/python3.11/site-packages/pytest").mkdir()
    return place


def find(home: Path, *directories: Path | str, repository: Path | None = None, **more: str):
    path = ":".join(map(str, (*directories, "/usr/bin", "/bin")))
    return Finder({"HOME": str(home), "PATH": path, **more}, repository).find()


def test_without_anything_there_is_the_machines_own_path(home: Path) -> None:
    found = find(home)
    assert found.binds == ()
    assert found.path[-3:] == ("/usr/local/bin", "/usr/bin", "/bin") or found.path[0] == "/usr/bin"


def test_an_active_environment_comes_first_with_what_it_was_made_from(home: Path) -> None:
    base = environment(home / "pythons/3.11")
    active = environment(home / "project/.venv", base=base, pytest_too=True)
    found = find(home, repository=home / "project", VIRTUAL_ENV=str(active))
    assert found.path[0] == str(active / "bin")
    assert dict(found.binds) == {base: base, active: active}


def test_the_first_environment_with_pytest_comes_first(home: Path) -> None:
    active = environment(home / "a/.venv", base=home / "none")
    other = environment(home / "tools/python", pytest_too=True)
    found = find(home, other / "bin", VIRTUAL_ENV=str(active))
    assert found.path[:2] == (str(other / "bin"), str(active / "bin"))


def test_a_toolchain_on_the_path_is_shown_with_its_prefix(home: Path) -> None:
    program(home / ".nvm/versions/node/v20/bin/node")
    found = find(home, home / ".nvm/versions/node/v20/bin")
    place = home / ".nvm/versions/node/v20"
    assert dict(found.binds) == {place: place}
    assert str(place / "bin") in found.path


def test_a_link_leads_to_the_real_toolchain_and_not_to_where_the_link_is(home: Path) -> None:
    real = program(home / ".local/share/uv/python/cpython-3.12/bin/python3.12")
    (home / ".local/bin").mkdir(parents=True)
    (home / ".local/bin/python3").symlink_to(real)
    found = find(home, home / ".local/bin")
    assert [source for source, _ in found.binds] == [home / ".local/share/uv/python/cpython-3.12"]


@pytest.mark.parametrize("where", ["bin", "project/bin"], ids=["home", "repository"])
def test_what_holds_the_home_or_the_repository_is_never_shown(home: Path, where: str) -> None:
    program(home / where / "python3")
    (home / "project/src").mkdir(parents=True, exist_ok=True)
    repository = home / "project"
    assert find(home, home / where, repository=repository).binds == ()
    assert find(home, repository=repository, VIRTUAL_ENV=str((home / where).parent)).binds == ()


@pytest.mark.parametrize("secret", [".ssh", ".aws", ".config", ".gnupg", ".docker", ".kube"])
def test_what_holds_keys_is_never_shown(home: Path, secret: str) -> None:
    program(home / secret / "bin/python3")
    program(home / "bin/node")
    assert find(home, home / secret / "bin", home / "bin").binds == ()


def test_a_link_to_the_home_is_seen_through(home: Path) -> None:
    (home.parent / "innocent").symlink_to(home)
    assert find(home, VIRTUAL_ENV=str(home.parent / "innocent")).binds == ()


def test_of_cargos_home_only_the_programs_are_shown(home: Path) -> None:
    program(home / ".cargo/bin/rustup")
    (home / ".cargo/bin/cargo").symlink_to("rustup")
    (home / ".cargo/credentials.toml").write_text("token")
    (home / ".rustup/toolchains").mkdir(parents=True)
    found = find(home, home / ".cargo/bin")
    assert {source for source, _ in found.binds} == {home / ".cargo/bin", home / ".rustup"}
    assert found.variables["RUSTUP_HOME"] == str(home / ".rustup")
    assert str(home / ".cargo/bin") in found.path


def test_shims_are_left_out(home: Path) -> None:
    program(home / ".pyenv/shims/python3")
    assert find(home, home / ".pyenv/shims").binds == ()


def test_what_lies_where_the_box_has_its_own_places_is_shown_elsewhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ay_bot.host.sandbox.toolchain.TAKEN", (str(tmp_path),))
    place = environment(tmp_path / "venv", base=tmp_path / "none")
    found = find(Path("/nonexistent"), VIRTUAL_ENV=str(place))
    elsewhere = Path("/opt/host") / place.relative_to("/")
    assert (place, elsewhere) in found.binds
    assert str(elsewhere / "bin") in found.path


def test_an_environment_is_told_from_an_installation(home: Path) -> None:
    base = environment(home / "python", pytest_too=True)
    made = environment(home / "venv", base=base)
    assert base_of(made) == base
    assert base_of(base) is None
    assert (has_pytest(base), has_pytest(made)) == (True, False)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_project.pth", "{repository}/src\n"),
        ("__editable__.project-1.0.pth", "# a comment\nimport something\n{repository}/src\n/elsewhere/src\n"),
        ("__editable___project_1_0_finder.py", "MAPPING: dict[str, str] = {{'project': '{repository}/src/project'}}\n"),
    ],
    ids=["hatchling", "setuptools", "setuptools-finder"],
)
def test_an_editable_install_of_the_repository_points_to_the_workspace(home: Path, file: str, text: str) -> None:
    repository = home / "project"
    place = environment(repository / ".venv", base=home / "none")
    (place / "lib/python3.11/site-packages" / file).write_text(text.format(repository=repository))
    assert find(home, repository=repository, VIRTUAL_ENV=str(place)).variables == {"PYTHONPATH": "/work/src"}
    assert find(home, repository=home / "another", VIRTUAL_ENV=str(place)).variables == {}


@pytest.mark.parametrize("text", ["MAPPING = {", "MAPPING = __import__('os')", "MAPPING = 7", "MAPPING = {'a': 7}"])
def test_a_finder_that_is_not_understood_is_left_out(home: Path, text: str) -> None:
    place = environment(home / "project/.venv", base=home / "none")
    (place / "lib/python3.11/site-packages/__editable___a_finder.py").write_text(text)
    assert find(home, repository=home / "project", VIRTUAL_ENV=str(place)).variables == {}
