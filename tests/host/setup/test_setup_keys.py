"""The key of a set-up image: it follows from all that a set-up depends on, and nobody else can give it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.egress.rules import NetworkPolicy
from ay_bot.host.objects import TreeEntry
from ay_bot.host.setup.keys import KEY_LENGTH, Recipe, find_key_files, is_key_file, scope_of
from ay_bot.host.setup.preparing import name_repository

FILES = {
    b"package-lock.json": TreeEntry("100644", "a" * 40),
    b"src/index.js": TreeEntry("100644", "b" * 40),
    b"scripts/setup.sh": TreeEntry("100755", "c" * 40),
    b"Makefile": TreeEntry("100644", "d" * 40),
}
RECIPE = Recipe(
    image="sha256:1", commands=("npm ci",), network=NetworkPolicy(), files=find_key_files(FILES, ("npm ci",))
)


@pytest.mark.parametrize(
    "path",
    [
        "poetry.lock", "uv.lock", "pyproject.toml", "requirements.txt", "dev-requirements.txt", "requirements/dev.in",
        "packages/a/package.json", "pnpm-lock.yaml", "Cargo.lock", "go.sum", "Gemfile.lock", "composer.lock",
        "app/pom.xml", "gradle.lockfile", "gradle/libs.versions.toml", "setup.py", "x.gemspec",
    ],
)  # fmt: skip
def test_files_that_say_what_is_installed_count(path):
    assert is_key_file(path.encode())


@pytest.mark.parametrize("path", ["src/a.py", "README.md", "node_modules/a/package.json", "requirements/notes.md"])
def test_other_files_do_not_count(path):
    assert not is_key_file(path.encode())


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("npm ci", {"package-lock.json"}),
        ("./scripts/setup.sh --all", {"package-lock.json", "scripts/setup.sh"}),
        ("bash /work/scripts/setup.sh", {"package-lock.json", "scripts/setup.sh"}),
        ("make deps", {"package-lock.json", "Makefile"}),
        ("true && (node src/index.js)", {"package-lock.json", "src/index.js"}),
    ],
)
def test_what_the_commands_name_counts_too(command, named):
    assert {path.strip("b'") for path, mode, _ in find_key_files(FILES, (command,)) if mode} == named


@pytest.mark.parametrize(
    "change",
    [
        {"image": "sha256:2"},
        {"commands": ("npm ci", "make")},
        {"network": NetworkPolicy(mode="allowlist", presets=("npm",))},
        {"files": find_key_files({**FILES, b"package-lock.json": TreeEntry("100644", "e" * 40)}, ())},
        {"files": find_key_files({**FILES, b"package-lock.json": TreeEntry("100755", "a" * 40)}, ())},
        {"environment": {"HOME": "/x"}},
        {"scope": "tree"},
        {"repository": "another"},
    ],
    ids=["image", "commands", "network", "content", "mode", "environment", "scope", "repository"],
)
def test_whatever_a_set_up_depends_on_changes_the_key(change):
    assert replace(RECIPE, **change).key() != RECIPE.key()


def test_other_files_leave_the_key_alone():
    other = {**FILES, b"src/index.js": TreeEntry("100644", "f" * 40), b"new.txt": TreeEntry("100644", "f" * 40)}
    assert replace(RECIPE, files=find_key_files(other, ("npm ci",))).key() == RECIPE.key()


@pytest.mark.parametrize("path", [b"package/__init__.py", b"src/package/__init__.py"])
def test_a_new_package_changes_the_key(path):
    """An editable install knows the packages that were there."""
    other = {**FILES, path: TreeEntry("100644", "f" * 40)}
    assert replace(RECIPE, files=find_key_files(other, ("npm ci",))).key() != RECIPE.key()


def test_a_repository_is_called_as_on_the_forge_where_there_is_one():
    on_a_runner = {"GITHUB_REPOSITORY": "owner/name", "GITHUB_SERVER_URL": "https://github.com"}
    assert name_repository(Path("/github/workspace"), on_a_runner) == "https://github.com/owner/name"
    assert name_repository(Path("/home/me/name"), {}) == "/home/me/name"


def test_a_pull_requests_tree_never_shares_the_key_of_the_trusted_one():
    """Its lock files may be the same while its setup.py is not, and that is what the set-up runs."""
    trusted = replace(RECIPE, scope=scope_of("tree-of-main", "tree-of-main"))
    request = replace(RECIPE, scope=scope_of("tree-of-pull", "tree-of-main"))
    assert trusted.key() == RECIPE.key()
    assert request.key() != trusted.key()
    assert request.key() != replace(RECIPE, scope=scope_of("another-tree", "tree-of-main")).key()


TRIPLES = st.lists(st.tuples(st.text(max_size=9), st.text(max_size=3), st.text(max_size=9)), max_size=4).map(tuple)
RECIPES = st.builds(
    Recipe,
    image=st.text(max_size=9),
    commands=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    network=st.just(NetworkPolicy()),
    files=TRIPLES,
    environment=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    scope=st.text(max_size=5),
    repository=st.text(max_size=5),
)


@given(RECIPES, RECIPES)
def test_two_recipes_have_one_key_only_if_they_are_one(first, second):
    same = replace(first, files=tuple(sorted(first.files))) == replace(second, files=tuple(sorted(second.files)))
    assert (first.key() == second.key()) is same
    assert len(first.key()) == KEY_LENGTH
    assert first.key().isalnum()
