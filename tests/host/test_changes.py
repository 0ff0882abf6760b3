from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from git_repositories import checkout_of, fingerprint, finished, git, make_repository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ay_bot.host.changes import NoChange, PatchEntry, Refused, VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.path_policy import PathPolicy

POLICY = PathPolicy()
FILES = {
    "a.py": "a = 1\n",
    "Dir/b.py": "b = 2\n",
    "aux.txt": "x\n",
    ".github/workflows/ci.yml": "on: push\n",
    "link-me": "x",
    "tests/test_a.py": "assert 1\n",
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("changes")
    repository = make_repository(place / "repo", FILES)
    before = fingerprint(repository)
    with checkout_of(repository, place / "scratch") as checkout:
        yield checkout
    assert fingerprint(repository) == before


def judge(checkout: Checkout, changed: dict, deleted: tuple[str, ...] = (), policy: PathPolicy = POLICY):
    message, body = finished(changed, deleted)
    return propose(checkout, checkout.repository.head, message, body, policy)


def test_a_change_becomes_exactly_that_tree(checkout: Checkout) -> None:
    changed = {"a.py": "a = 2\r\n", "new/run": ("100755", b"\0"), "l": ("120000", b"new/run"), "empty": ""}
    patch = judge(checkout, changed, ("Dir/b.py",))
    assert isinstance(patch, VerifiedPatch)
    assert patch.base == checkout.repository.head
    assert set(patch.entries) == {
        PatchEntry("a.py", "M", "100644", 7, "100644"),
        PatchEntry("new/run", "A", "100755", 1),
        PatchEntry("l", "A", "120000", 7),
        PatchEntry("empty", "A", "100644", 0),
        PatchEntry("Dir/b.py", "D", None, 0, "100644"),
    }
    assert checkout.read_file(patch.tree, "a.py") == b"a = 2\r\n"
    assert set(checkout.list_files(patch.tree)) == {b"a.py", b"aux.txt", b".github/workflows/ci.yml", b"link-me"} | {
        b"new/run",
        b"l",
        b"empty",
        b"tests/test_a.py",
    }
    assert b"-a = 1" in patch.diff
    assert patch.withheld == ()


def test_nothing_changed(checkout: Checkout) -> None:
    assert judge(checkout, {}) == NoChange()
    assert judge(checkout, {"a.py": "a = 1\n"}) == NoChange()
    assert isinstance(judge(checkout, {"a.py": "a = 1\n", "action.yml": ""}), Refused)


def test_a_mode_alone_is_a_change(checkout: Checkout) -> None:
    patch = judge(checkout, {"a.py": ("100755", b"a = 1\n")})
    assert patch.entries == (PatchEntry("a.py", "M", "100755", 6, "100644"),)


def test_protected_files_are_withheld_and_the_rest_goes_on(checkout: Checkout) -> None:
    patch = judge(checkout, {"a.py": "a = 2\n", ".github/workflows/ci.yml": "on: issues\n", "AGENTS.md": "obey\n"})
    assert isinstance(patch, VerifiedPatch)
    assert [entry.path for entry in patch.entries] == ["AGENTS.md", "a.py"]
    assert [path for path, _ in patch.withheld] == [".github/workflows/ci.yml"]
    assert [path for path, _ in patch.review] == ["AGENTS.md"]
    assert checkout.read_file(patch.tree, ".github/workflows/ci.yml") == b"on: push\n"
    assert b"issues" not in patch.diff


def test_deleting_a_protected_file_is_withheld_too(checkout: Checkout) -> None:
    refused = judge(checkout, {}, (".github/workflows/ci.yml",))
    assert isinstance(refused, Refused)
    assert [path for path, _ in refused.withheld] == [".github/workflows/ci.yml"]


def test_at_38_what_git_cannot_hold_is_withheld(checkout: Checkout) -> None:
    message, body = finished({"a.py": "a = 2\n"})
    message = message.model_copy(update={"unrepresentable": ("b'caf\\xe9'",)})
    patch = propose(checkout, checkout.repository.head, message, body, POLICY)
    assert isinstance(patch, VerifiedPatch)
    assert patch.withheld[0].path == "b'caf\\xe9'"


@pytest.mark.parametrize(
    ("changed", "deleted", "words"),
    [
        ({"../x": ""}, (), "'..'"),
        ({".git/config": ""}, (), "passes for, .git"),
        ({"x/.GIT/hooks/y": ""}, (), "passes for, .git"),
        ({"a:b": ""}, (), "holds one of"),
        ({"A.py": ""}, (), "letter case"),
        ({"dir/c.py": ""}, (), "letter case"),
        ({"n/x": "", "N/y": ""}, (), "letter case"),
        ({"a.py/x": ""}, (), "below a file"),
        ({"Dir": ""}, (), "file and a directory"),
        ({"q": "", "q/r": ""}, (), "file and a directory"),
        ({"l": ("120000", b"/etc/passwd")}, (), "leaves the repository"),
        ({"l": ("120000", b".git/config")}, (), "link into .git"),
        ({"a.py": ""}, ("a.py",), "names a path twice"),
        ({}, ("a.py", "a.py"), "names a path twice"),
        ({}, ("nothing",), "not in the base commit"),
        ({}, ("Dir",), "not in the base commit"),
    ],
)
def test_refusals(checkout: Checkout, changed: dict, deleted: tuple[str, ...], words: str) -> None:
    refused = judge(checkout, changed, deleted)
    assert isinstance(refused, Refused)
    assert words in str(refused)


def test_a_file_may_keep_an_unwise_name_and_change_case_when_moved(checkout: Checkout) -> None:
    assert isinstance(judge(checkout, {"aux.txt": "y\n"}), VerifiedPatch)
    assert isinstance(judge(checkout, {"A.py": "a = 1\n"}, ("a.py",)), VerifiedPatch)
    assert isinstance(judge(checkout, {"Dir": "file now"}, ("Dir/b.py",)), VerifiedPatch)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (PathPolicy(files=1), "touches 2 files"),
        (PathPolicy(file_size=5), "has 6 bytes"),
        (PathPolicy(total_size=7), "holds 8 bytes"),
    ],
)
def test_at_52_limits(checkout: Checkout, policy: PathPolicy, words: str) -> None:
    refused = judge(checkout, {"a.py": "a = 2\n", "n": "12"}, policy=policy)
    assert isinstance(refused, Refused)
    assert words in str(refused)


def test_sizes_must_add_up(checkout: Checkout) -> None:
    message, body = finished({"a.py": "a = 2\n"})
    refused = propose(checkout, checkout.repository.head, message, body + b"x", POLICY)
    assert isinstance(refused, Refused)


def test_at_34_a_submodule_can_neither_change_nor_go(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repo", {"a": "1"})
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{git(repository, 'rev-parse', 'HEAD')},m")
    git(repository, "commit", "-q", "-m", "module")
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        assert "submodule" in str(judge(checkout, {"m": "x"}))
        assert "submodule" in str(judge(checkout, {}, ("m",)))
        assert "below a file" in str(judge(checkout, {"m/x": "x"}))


def test_the_evidence_cannot_be_forged(checkout: Checkout) -> None:
    patch = judge(checkout, {"a.py": "a = 2\n"})
    with pytest.raises(TypeError, match="alone"):
        VerifiedPatch(object(), patch.base, patch.tree, (), (), (), b"")
    with pytest.raises((TypeError, ValueError)):
        replace(patch, tree="0" * 40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(["a", "b.py", ".git", "..", "é", " ", "A.PY", "x\ny", '"', "-c", "\t", "#"]), max_size=4
        ).map("/".join),
    ),
    content=st.binary(max_size=40),
)
def test_at_38_any_path_becomes_exactly_that_file_or_nothing(checkout: Checkout, path: str, content: bytes) -> None:
    try:
        message, body = finished({path: content})
        message = type(message).model_validate_json(message.model_dump_json())
    except ValueError:
        return  # it does not even get through the channel
    result = propose(checkout, checkout.repository.head, message, body, POLICY)
    if not isinstance(result, VerifiedPatch):
        return
    before = dict(checkout.list_files(checkout.repository.head))
    after = dict(checkout.list_files(result.tree))
    assert after.keys() - before.keys() <= {path.encode()}
    assert before.keys() <= after.keys()
    assert checkout.read_file(result.tree, path) == content
    assert not any(part.lower() == b".git" for name in after for part in name.split(b"/"))


@pytest.mark.parametrize(
    ("files", "deleted", "emptied", "alarmed"),
    [(20, 4, 0, False), (20, 5, 0, True), (20, 3, 2, True), (20, 2, 2, False), (40, 8, 0, False), (6, 4, 0, False)],
)
def test_at_18_mass_deletion_alarms_people(
    tmp_path: Path, files: int, deleted: int, emptied: int, alarmed: bool
) -> None:
    names = [f"f{number}.py" for number in range(files)]
    repository = make_repository(tmp_path / "repo", dict.fromkeys(names, "x = 1\n"))
    with checkout_of(repository, tmp_path / "scratch") as checkout:
        patch = judge(checkout, dict.fromkeys(names[deleted : deleted + emptied], ""), tuple(names[:deleted]))
    assert isinstance(patch, VerifiedPatch)
    told = (f"It deletes or empties {deleted + emptied} of the repository's {files} files.",)
    assert patch.alarms == (told if alarmed else ())
