"""The change that a box proposes: its records are judged, and a stand-in for git says what came of them."""

import json

from ay_bot.host.changes import NoChange, Refused, VerifiedPatch, propose
from ay_bot.host.checkout import Checkout, TreeDifference
from ay_bot.host.objects import TreeEntry
from ay_bot.host.path_policy import PathPolicy, find_git_fault, looks_like_git
from ay_bot.host.tree_stream import TreeChange, build_stream
from ay_bot.protocol.messages import ChangedFile, Finished

from fuzz.target import Target

BASE = {
    b"calc.py": TreeEntry("100644", "1" * 40), b"docs/a.md": TreeEntry("100644", "2" * 40),
    b"lib": TreeEntry("160000", "3" * 40), b"run": TreeEntry("100755", "4" * 40), b"to": TreeEntry("120000", "5" * 40),
    b"Odd Name.": TreeEntry("100644", "6" * 40), b"tests/test_calc.py": TreeEntry("100644", "7" * 40),
}  # fmt: skip
MODES = ("100644", "100755", "120000")
POLICY = PathPolicy(files=30, file_size=400, total_size=2000)


class Memory(Checkout):
    """A clone without git: what is written to it is what it says."""

    def __init__(self) -> None:
        self._kept: dict[bytes, TreeChange] = {}

    def list_files(self, tree: str) -> dict[bytes, TreeEntry]:
        """Return the base's files."""
        return BASE

    def write_tree(self, base: str, changes: object) -> str:
        """Remember the changes, in the form that git would be told them."""
        assert isinstance(changes, tuple)
        self._kept = {change.path: change for change in changes}
        stream = build_stream("refs/x", "0" * 40, changes)
        commands = stream[stream.rfind(b"\ncommit ") :] if changes else b""
        assert all(line.isascii() for line in commands.split(b"\n") if line.startswith((b"M ", b"D ")))
        return "t"

    def compare(self, base: str, tree: str) -> tuple[TreeDifference, ...]:
        """Return what differs."""
        return tuple(
            TreeDifference(BASE[path].mode if path in BASE else "000000", change.mode or "000000", "", "", "M", path)
            for path, change in self._kept.items()
        )

    def read_files(self, revision: str, paths: object) -> dict[bytes, bytes]:
        """Return what was written."""
        return {path: change.content for path, change in self._kept.items() if change.content is not None}

    def diff(self, base: str, tree: str, paths: object = ()) -> bytes:
        """Return nothing."""
        return b""


def parse(data: bytes) -> None:
    """Judge records, which a list of [path, mode, content] and of paths makes; sizes are told wrongly if it says so."""
    try:
        finished, body = _build(data)
    except (ValueError, RecursionError):
        return  # no JSON: a mistake of the fuzzer's, not a change
    verdict = propose(Memory(), "b", finished, body, POLICY)
    if isinstance(verdict, VerifiedPatch):
        for entry in verdict.entries:
            assert entry.mode in {None, "100644", "100755", "120000"}, entry
            assert find_git_fault(entry.path) is None or entry.mode is None, entry
            assert not any(looks_like_git(part) for part in entry.path.split("/")), entry
            assert not entry.path.startswith((".github/workflows/", ".git/")), entry
            assert ".." not in entry.path.split("/"), entry
    elif isinstance(verdict, Refused):
        assert str(verdict).isprintable() or not verdict.path, verdict
    else:
        assert isinstance(verdict, NoChange)


def _build(data: bytes) -> tuple[Finished, bytes]:
    told = json.loads(data)
    told = told if isinstance(told, dict) else {"changed": told}
    records, body = [], b""
    for one in _listed(told.get("changed")):
        path, mode, content = (*_listed(one), "new.py", "100644", "")[:3]
        raw = str(content).encode("utf-8", "surrogatepass")
        size = len(raw) + (told.get("lie") is True)
        records.append(ChangedFile(path=str(path), mode=mode if mode in MODES else "100644", size=size))
        body += raw
    gone, odd = (tuple(map(str, _listed(told.get(name)))) for name in ("deleted", "unrepresentable"))
    return Finished(reason="finished", changed=tuple(records), deleted=gone, unrepresentable=odd), body


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


SEEDS = [
    json.dumps({"changed": changed, "deleted": deleted, "unrepresentable": odd, "lie": lie}).encode()
    for changed, deleted, odd, lie in [
        ([["calc.py", "100644", "x = 1\n"], ["new/b.py", "100755", "#!"]], ["docs/a.md"], [], False),
        ([["link", "120000", "docs/a.md"], ["docs/up", "120000", "../calc.py"]], [], ["b'\\xff'"], False),
        ([[".github/workflows/x.yml", "100644", "on: push"], ["HEAD", "100644", "ref: x"]], [], [], False),
        ([["d/HEAD", "100644", ""], ["d/objects/x", "100644", ""], ["d/refs/x", "100644", ""]], [], [], False),
        ([["Odd Name.", "100644", "new"], ["odd name.", "100644", "other"]], ["run", "to"], [], False),
        ([["lib", "100644", ""], ["lib/x", "100644", ""]], ["lib"], [], True),
        ([["calc.py/x", "100644", ""], ["tests/conftest.py", "100644", "x"]], ["calc.py"], [], False),
    ]
]
TARGET = Target(parse=parse, seeds=SEEDS, shape="json", longest=3000)
