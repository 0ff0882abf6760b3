"""What is kept from the agent: in none of the trees that its boxes and images are made of."""

import tarfile
from pathlib import Path

import pytest

from ay_bot.errors import UsageError
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.policy.boxes import choose_archive, choose_tree
from ay_bot.host.policy.rules import FileRule
from ay_bot.host.setup.context import Plan, Source
from tests.host.git_repositories import checkout_of, make_repository

FILES = {"a": "1", "private/x": "2", "deep/private/y": "3", "Dockerfile": "FROM x\nCOPY . .\n", "k.PEM": "4"}
RULES = PathPolicy(rules=(FileRule(paths=("private/", "*.pem"), read="deny"), FileRule(paths=("a",), write="never")))
SEEN = {"a", "Dockerfile"}


def names(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {entry.name for entry in tar if entry.isfile()}


def test_the_agents_tree_is_without_them_and_no_other_is_made_for_nothing(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", FILES)
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        head = checkout.repository.head
        whole = tmp_path / "whole.tar"
        checkout.archive(head, whole)
        assert names(choose_archive(checkout, whole, RULES)) == SEEN
        assert choose_archive(checkout, whole, PathPolicy()) == whole
        assert choose_tree(checkout, head, PathPolicy(rules=RULES.rules[1:])) == head
        assert {path.decode() for path in checkout.list_files(choose_tree(checkout, head, RULES))} == SEEN


def test_an_image_is_built_without_them(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", FILES)
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        source = Source(checkout, choose_tree(checkout, checkout.repository.head, RULES))
        context = tmp_path / "context.tar"
        source.write_context(Plan("Dockerfile", ".", {}, ""), context)
        assert names(context) & {"a", "private/x", "deep/private/y", "k.PEM"} == {"a"}
        with pytest.raises(UsageError):
            source.write_context(Plan("Dockerfile", "private", {}, ""), context)
