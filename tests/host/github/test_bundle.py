"""The hand-over between two jobs: what is written is read, and everything else is refused."""

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.changes import Refused, VerifiedPatch, propose
from ay_bot.host.github import bundle_files
from ay_bot.host.github.bundle import (
    CHANGE,
    CONTENTS,
    MANIFEST,
    REQUEST,
    RESULT,
    Bundle,
    Manifest,
    read_bundle,
    write_bundle,
)
from ay_bot.host.github.bundle_files import BundleRefused
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.report import Result
from ay_bot.protocol.messages import Finished
from tests.host.git_repositories import checkout_of, finished, make_repository
from tests.host.github.publishing import ask

RUN = "77.1"
REQUESTED = ask()


def make_bundle(changed=None, base: str = "a" * 40, **manifest) -> Bundle:
    message, contents = finished(changed or {"calc.py": "x\n", "run": ("100755", b"\0\xff")}, ("old.py",))
    fields = {
        "run": RUN,
        "key": REQUESTED.key,
        "repository": "maria/bank",
        "base": base,
        "base_branch": "main",
        "subject": "fix: add",
    }
    return Bundle(
        manifest=Manifest(**{**fields, **manifest}),
        request=REQUESTED,
        result=Result(status="verified", reason="all tests pass", exit_code=0, version="1", run="r"),
        finished=message,
        contents=contents,
    )


def read(path: Path, **changed) -> Bundle:
    return read_bundle(path, **{"run": RUN, "key": REQUESTED.key, "request": REQUESTED, **changed})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", make_bundle())
    return tmp_path / "bundle"


def zip_of(directory: Path, target: Path, change: Callable[[zipfile.ZipFile], None] | None = None) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in directory.iterdir():
            archive.write(file, file.name)
        if change:
            change(archive)
    return target


def test_what_is_written_is_read(written: Path, tmp_path: Path) -> None:
    assert read(written) == make_bundle()
    assert read(zip_of(written, tmp_path / "bundle.zip")) == make_bundle()
    assert {path.name for path in written.iterdir()} == {MANIFEST, REQUEST, RESULT, CHANGE, CONTENTS}


def test_maintenance_has_no_request(tmp_path: Path) -> None:
    without = make_bundle().model_copy(update={"request": None})
    write_bundle(tmp_path / "b", without)
    assert read(tmp_path / "b", request=None) == without
    with pytest.raises(BundleRefused, match="another request"):
        read(tmp_path / "b")


def test_it_goes_straight_into_the_judgement(tmp_path: Path) -> None:
    with checkout_of(
        make_repository(tmp_path / "repo", {"calc.py": "y\n", "old.py": "1\n"}), tmp_path / "scratch"
    ) as checkout:
        base = checkout.repository.head
        write_bundle(tmp_path / "b", make_bundle(base=base))
        found = read(tmp_path / "b")
        patch = propose(checkout, found.manifest.base, found.finished, found.contents, PathPolicy())
        assert isinstance(patch, VerifiedPatch)
        assert [(entry.path, entry.status, entry.mode) for entry in patch.entries] == [
            ("calc.py", "M", "100644"), ("old.py", "D", None), ("run", "A", "100755"),
        ]  # fmt: skip


EVIL_PATHS = (
    ".git/config",
    "../out",
    "/etc/passwd",
    "a\\..\\b",
    ".g\u200cit/x",
    "git~1/x",
    ".gitmodules/../x",
    "a/./b",
    "x\n",
)


@pytest.mark.parametrize("path", EVIL_PATHS)
def test_at_36_a_tree_that_attacks_is_refused_before_any_branch(tmp_path: Path, path: str) -> None:
    with checkout_of(
        make_repository(tmp_path / "repo", {"calc.py": "y\n", "old.py": "1\n"}), tmp_path / "scratch"
    ) as checkout:
        write_bundle(tmp_path / "b", make_bundle({path: "evil\n"}, base=checkout.repository.head))
        found = read(tmp_path / "b")
        assert isinstance(propose(checkout, found.manifest.base, found.finished, found.contents, PathPolicy()), Refused)


def test_at_34_a_submodule_is_refused(written: Path) -> None:
    edit(written / CHANGE, lambda change: change["changed"][0].update(mode="160000"))
    with pytest.raises(BundleRefused, match=r"malformed: changed\.0\.mode"):
        read(written)


@pytest.mark.parametrize("mode", ["100664", "040000"])
def test_at_36_a_mode_that_is_not_ours_is_refused(written: Path, mode: str) -> None:
    edit(written / CHANGE, lambda change: change["changed"][0].update(mode=mode))
    with pytest.raises(BundleRefused, match="malformed"):
        read(written)


def test_at_35_a_message_brings_no_patch(tmp_path: Path) -> None:
    smuggled = "Words.\n\n---\ndiff --git a/.github/workflows/evil.yml b/.github/workflows/evil.yml\n+++ b/x\n@@ -0,0 +1 @@\n+on: push\n"
    write_bundle(
        tmp_path / "b", make_bundle(subject="fix: add", body=smuggled + "\nAy-Request: 000000000000\nFixes #3\n@maria")
    )
    found = read(tmp_path / "b")
    assert found.message is not None
    for word in ("diff --git", "@@", "---", "Ay-Request", "#3", "@maria"):
        assert word not in found.message.text
    assert [record.path for record in found.finished.changed] == ["calc.py", "run"]


def edit(path: Path, change: Callable[[dict], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def test_at_44_a_bundle_of_another_run_or_request_is_refused(written: Path) -> None:
    with pytest.raises(BundleRefused, match="is for run"):
        read(written, run="78.1")
    with pytest.raises(BundleRefused, match="is for request"):
        read(written, key="0" * 12)
    with pytest.raises(BundleRefused, match="another request"):
        read(written, request=ask(instruction="something else"))
    assert read(
        written, request=REQUESTED.model_copy(update={"made": REQUESTED.made.replace(year=2027), "title": "Edited"})
    )
    edit(written / REQUEST, lambda request: request.update(instruction="something else"))
    with pytest.raises(BundleRefused, match="is not the one"):
        read(written, request=None)


@pytest.mark.parametrize("name", [MANIFEST, REQUEST, RESULT, CHANGE])
def test_at_44_unknown_fields_are_refused(written: Path, name: str) -> None:
    edit(written / name, lambda value: value.update(surprise=1))
    with pytest.raises(BundleRefused, match="malformed: surprise"):
        read(written)


@pytest.mark.parametrize("content", [b"", b"null", b"[" * 50_000, b"{}", b"\xff\xfe", b'{"version": 1e999}'])
@pytest.mark.parametrize("name", [MANIFEST, REQUEST, RESULT, CHANGE])
def test_at_44_what_is_no_json_of_ours_is_refused(written: Path, name: str, content: bytes) -> None:
    (written / name).write_bytes(content)
    with pytest.raises(BundleRefused, match="malformed"):
        read(written)


@pytest.mark.parametrize("base", ["HEAD", "--upload-pack=x", "a" * 39, "A" * 40, "a" * 40 + "\n", "../x"])
def test_at_48_a_base_is_a_whole_commit(written: Path, base: str) -> None:
    edit(written / MANIFEST, lambda value: value.update(base=base))
    with pytest.raises(BundleRefused, match="malformed: base"):
        read(written)


@pytest.mark.parametrize("name", [MANIFEST, RESULT, CHANGE, CONTENTS])
def test_at_44_a_missing_file_is_refused(written: Path, name: str) -> None:
    (written / name).unlink()
    with pytest.raises(BundleRefused, match=f"lacks {name}"):
        read(written)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("make", [link, pipe, directory])
def test_at_44_what_is_no_plain_file_is_refused(written: Path, make: Callable[[Path], None]) -> None:
    make(written / CONTENTS)
    with pytest.raises(BundleRefused, match=r"plain file|symbolic link|directory"):
        read(written)


def test_at_44_a_link_to_a_bundle_is_refused(written: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(written)
    with pytest.raises(BundleRefused):
        read(tmp_path / "link")
    with pytest.raises(BundleRefused):
        read(tmp_path / "nothing")


def test_at_44_strange_files_are_refused(written: Path) -> None:
    (written / "change.diff").write_text("x")
    with pytest.raises(BundleRefused, match=r"holds 'change\.diff'"):
        read(written)
    for number in range(100):
        (written / f"x{number}").write_text("x")
    with pytest.raises(BundleRefused):
        read(written)


def test_at_44_a_file_that_is_too_large_is_refused(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (written / MANIFEST).open("a") as file:
        file.write(" " * 70_000)
    with pytest.raises(BundleRefused, match="larger than"):
        read(written)


def test_at_44_sizes_must_agree(written: Path) -> None:
    with (written / CONTENTS).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleRefused, match="another size"):
        read(written)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "..\\evil", "a/../../evil", "bundle.json/x", "C:\\x"])
def test_at_44_no_name_leaves_the_zip(written: Path, tmp_path: Path, name: str) -> None:
    bad = zip_of(written, tmp_path / "bad.zip", lambda archive: archive.writestr(name, "x"))
    with pytest.raises(BundleRefused):
        read(bad)
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "bad.zip"}


def test_at_44_a_name_with_an_end_in_it_is_refused(written: Path, tmp_path: Path) -> None:
    bad = zip_of(written, tmp_path / "bad.zip", lambda archive: archive.writestr("contents_.txt", "x"))
    bad.write_bytes(bad.read_bytes().replace(b"contents_.txt", b"contents\0.txt"))
    with pytest.raises(BundleRefused, match="which no bundle of ours does"):
        read(bad)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_at_44_a_name_twice_is_refused(written: Path, tmp_path: Path) -> None:
    bad = zip_of(written, tmp_path / "bad.zip", lambda archive: archive.writestr(CONTENTS, "other"))
    with pytest.raises(BundleRefused, match="twice"):
        read(bad)


def test_at_44_a_link_in_a_zip_is_refused(written: Path, tmp_path: Path) -> None:
    (written / CONTENTS).unlink()

    def add_link(archive: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo(CONTENTS)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")

    with pytest.raises(BundleRefused, match="plain file"):
        read(zip_of(written, tmp_path / "bad.zip", add_link))


def test_at_44_a_zip_bomb_is_refused(written: Path, tmp_path: Path) -> None:
    (written / CONTENTS).write_bytes(b"\0" * (bundle_files.MOST_BYTES + 1))
    with pytest.raises(BundleRefused, match="larger than"):
        read(zip_of(written, tmp_path / "bomb.zip"))


def test_at_44_a_zip_that_lies_about_sizes_is_refused(written: Path, tmp_path: Path) -> None:
    (written / CONTENTS).write_bytes(b"\0" * (bundle_files.MOST_BYTES + 1))
    lying = zip_of(written, tmp_path / "bomb.zip")
    size = (bundle_files.MOST_BYTES + 1).to_bytes(4, "little")
    lying.write_bytes(lying.read_bytes().replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(BundleRefused):
        read(lying)


@settings(max_examples=60)
@given(data=st.data())
def test_at_44_a_damaged_zip_is_refused_or_read(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("damaged")
    write_bundle(place / "b", make_bundle())
    raw = bytearray(zip_of(place / "b", place / "b.zip").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (place / "b.zip").write_bytes(raw)
    try:
        found = read(place / "b.zip")
    except BundleRefused:
        return
    assert found.request == REQUESTED


def test_not_a_zip_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"hello")
    with pytest.raises(BundleRefused, match="no zip file"):
        read(tmp_path / "x.zip")
    stream = io.BytesIO()
    zipfile.ZipFile(stream, "w").close()
    (tmp_path / "empty.zip").write_bytes(stream.getvalue())
    with pytest.raises(BundleRefused, match="lacks"):
        read(tmp_path / "empty.zip")


def test_a_bundle_is_written_into_a_directory_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        write_bundle(tmp_path, make_bundle())
    with pytest.raises(UsageError, match="could not be written"):
        write_bundle(tmp_path / "other" / "bundle", make_bundle())


def test_an_empty_change_has_no_message_but_is_whole(tmp_path: Path) -> None:
    empty = make_bundle(subject="").model_copy(update={"finished": Finished(reason="finished"), "contents": b""})
    write_bundle(tmp_path / "b", empty)
    assert read(tmp_path / "b").message is None
