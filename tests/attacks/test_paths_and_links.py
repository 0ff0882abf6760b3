"""AT-37 and AT-38: links that lead out, and names that pass for others, on their way from a box into a tree."""

import os
import threading
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ay_bot.agent.workspace import Manifest
from ay_bot.host.changes import Refused, VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.path_policy import PathPolicy, protect
from tests.host.git_repositories import checkout_of, fingerprint, finished, make_repository

POLICY = PathPolicy()
WORKFLOW = ".github/workflows/ci.yml"
FILES = {"a.py": "a = 1\n", "sub/b.py": "b = 2\n", WORKFLOW: "on: push\n", "café/x.py": "x\n"}
PROTECTED = (
    WORKFLOW, ".github/workflows/new.yml", ".github/ay-bot.yml", ".gitattributes", ".gitmodules", "CODEOWNERS",
    ".husky/pre-commit", ".vscode/tasks.json", "action.yml", ".git/config", ".git/hooks/pre-commit", "sub/.git/config",
)  # fmt: skip
NOT_SEEN_BY_HFS = "\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u206a\u206f\ufeff"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("paths")
    repository = make_repository(place / "repo", FILES)
    before = fingerprint(repository)
    with checkout_of(repository, place / "scratch") as made:
        yield made
    assert fingerprint(repository) == before


def judge(checkout: Checkout, changed: dict, deleted: tuple[str, ...] = ()):
    return propose(checkout, checkout.repository.head, *finished(changed, deleted), POLICY)


# ------------------------------------------------------------------------------------------------------ links


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("l", "/etc/shadow"),
        ("l", "/proc/self/environ"),
        ("l", ".."),
        ("l", "../../.git/hooks/pre-commit"),
        ("l", ".git/config"),
        ("sub/l", "../.git"),
        ("sub/l", "../../x"),
        ("sub/l", "b/../../../x"),
        ("l", "sub/../../etc/passwd"),
        ("l", "C:\\Windows"),
        ("l", "\\\\host\\share"),
        ("l", "x\0y"),
        ("l", ""),
        ("l", "a" * 5000),
        (".github/workflows", "../evil"),
        ("a.py/l", "x"),
    ],
)
def test_at_37_a_link_that_leads_out_takes_the_whole_change_with_it(checkout: Checkout, path: str, target: str) -> None:
    refused = judge(checkout, {"a.py": "a = 2\n", path: ("120000", target.encode())})
    assert isinstance(refused, Refused)


def test_at_37_links_that_lead_out_together_alone_do_not(checkout: Checkout) -> None:
    """Each of these stays by its letters; `..` after a link would mean the parent of where that leads."""
    chain = {"sub/up": ("120000", b".."), "out": ("120000", b"sub/up/../etc")}
    assert isinstance(judge(checkout, chain), Refused)
    assert isinstance(judge(checkout, {"sub/up": ("120000", b"..")}), VerifiedPatch)


@pytest.mark.parametrize(
    "changed",
    [
        {"d": ("120000", b"sub"), "d/x": "written through the link"},
        {"sub": ("120000", b"elsewhere"), "sub/b.py": "written through the link"},
        {"D": ("120000", b"sub"), "d/x": "written through the link where case does not matter"},
        {"cafe\u0301": ("120000", b"sub")},
    ],
)
def test_at_37_nothing_is_written_through_a_link(checkout: Checkout, changed: dict) -> None:
    assert isinstance(judge(checkout, changed), Refused)


def test_at_37_a_file_that_is_swapped_for_a_link_is_never_followed(tmp_path: Path) -> None:
    """While the agent's program reads the work tree, a command that still runs puts a link in a file's place."""
    root, secret = tmp_path / "work", tmp_path / "secret"
    root.mkdir()
    secret.write_bytes(b"SECRET")
    (root / "f").write_bytes(b"1")
    manifest = Manifest.take(root, ())
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for make in (lambda path: path.symlink_to(secret), lambda path: path.write_bytes(b"2")):
                new = root / ".new"
                new.unlink(missing_ok=True)
                make(new)
                os.replace(new, root / "f")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        seen = set()
        looks, deadline = 0, time.monotonic() + 60
        while looks < 400 or (len(seen) < 2 and time.monotonic() < deadline):
            looks += 1
            changes = manifest.changes()
            assert b"SECRET" not in changes.body
            seen |= {file.mode for file in changes.changed if file.path == "f"}
    finally:
        stop.set()
        swapping.join()
    assert "120000" in seen
    assert "100644" in seen


# ------------------------------------------------------------------------------------------------------ names


def taken_for(path: str) -> str:
    """What the most careless of file systems takes a name for: no case, no marks of composition, no invisible, no end."""
    shown = "".join(character for character in path if character not in NOT_SEEN_BY_HFS)
    folded = unicodedata.normalize("NFC", shown.casefold()).replace("\\", "/")
    parts = [part.split(":", 1)[0].rstrip(". ") for part in folded.split("/")]
    kept: list[str] = []
    for part, given_part in zip(parts, folded.split("/"), strict=True):
        if given_part == "..":
            kept = kept[:-1]
        elif part:
            kept.append(part)
    return "/".join(kept)


@st.composite
def disguised(draw: st.DrawFn) -> str:
    path = draw(st.sampled_from(PROTECTED))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(path)))
        disguise = draw(
            st.sampled_from(["upper", "case", "trail", "hidden", "dots", "slashes", "wide", "quote", "colon", "odd"])
        )
        match disguise:
            case "upper":
                path = path.upper()
            case "case":
                path = path[:at] + path[at:].swapcase()
            case "trail":
                path = path.replace("/", draw(st.sampled_from([" /", "./", ". /"])), 1) + draw(
                    st.sampled_from(["", " ", "."])
                )
            case "hidden":
                path = path[:at] + draw(st.sampled_from(NOT_SEEN_BY_HFS)) + path[at:]
            case "dots":
                path = draw(st.sampled_from(["./", "x/../", "sub/../"])) + path
            case "slashes":
                path = path.replace("/", draw(st.sampled_from(["//", "\\", "/./"])))
            case "wide":
                path = path[:at] + "".join(
                    chr(ord(c) + 0xFEE0) if c.isalpha() and c.isascii() else c for c in path[at:]
                )
            case "quote":
                path = f'"{path}"'
            case "colon":
                path += draw(st.sampled_from([":x", "::$DATA", "::$INDEX_ALLOCATION"]))
            case "odd":
                path = path[:at] + draw(st.sampled_from(["\t", "\n", "\0", "\x7f", "\u0307"])) + path[at:]
    return path


ASKED_FOR = {taken_for(path) for path in PROTECTED}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=disguised(), mode=st.sampled_from(["100644", "100755", "120000"]))
def test_at_38_no_disguise_carries_a_protected_file_into_a_tree(checkout: Checkout, path: str, mode: str) -> None:
    patch = judge(checkout, {"a.py": "a = 2\n", path: (mode, b"sub")})
    assert isinstance(patch, Refused | VerifiedPatch)
    if isinstance(patch, Refused):
        return
    files = checkout.list_files(patch.tree)
    assert checkout.read_file(patch.tree, WORKFLOW) == b"on: push\n"
    new = {name.decode() for name in files.keys() - {name.encode() for name in FILES}}
    assert not {taken_for(name) for name in new} & ASKED_FOR
    assert all(protect(name, POLICY).tier != "never" for name in new)
    assert {entry.path for entry in patch.entries} == {"a.py", *new}


@pytest.mark.parametrize(
    ("changed", "deleted"),
    [
        ({"ci.yml": "on: push\n"}, (WORKFLOW,)),
        ({".github/workflows/b.yml": "on: push\n"}, ("a.py",)),
        ({".GitHub/Workflows/b.yml": "on: push\n"}, ()),
        ({".github/WORKFLOWS/ci.yml": "on: issues\n"}, (WORKFLOW,)),
    ],
    ids=["away from", "onto", "beside it in other letters", "to other letters"],
)
def test_at_38_both_sides_of_a_move_are_judged(checkout: Checkout, changed: dict, deleted: tuple[str, ...]) -> None:
    patch = judge(checkout, {**changed, "sub/b.py": "b = 3\n"}, deleted)
    if isinstance(patch, VerifiedPatch):
        assert patch.withheld
        names = {name.decode() for name in checkout.list_files(patch.tree)}
        assert {name for name in names if name.lower().startswith(".github/")} == {WORKFLOW}
        assert checkout.read_file(patch.tree, WORKFLOW) == b"on: push\n"


@pytest.mark.parametrize(
    "path", ["/dev/null", "dev/null", "a/dev/null", '"a"', "a\\ b", "b/a.py", "a => b", "{a => b}/c", "-p", "--"]
)
def test_at_38_a_name_that_means_something_in_a_patch_is_a_name(checkout: Checkout, path: str) -> None:
    patch = judge(checkout, {path: "x\n"})
    if isinstance(patch, VerifiedPatch):
        assert [entry.path for entry in patch.entries] == [path]
        assert checkout.read_file(patch.tree, path) == b"x\n"
