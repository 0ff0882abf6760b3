"""The JSON files of a bundle between two jobs: manifest, request, result and records, one on each line (AT-44)."""

import json
from pathlib import Path

from ay_bot.host.github.bundle import CHANGE, CONTENTS, MANIFEST, REQUEST, RESULT, read_bundle
from ay_bot.host.github.bundle_files import BundleRefused

from fuzz.places import directory
from fuzz.target import Target, recorded

NAMES = {"manifest": MANIFEST, "request": REQUEST, "result": RESULT, "change": CHANGE}


def place() -> Path:
    """Return the directory of the bundle."""
    return directory("words")


def parse(data: bytes) -> None:
    """Take the parts of an object for the files of a bundle, and read that."""
    try:
        parts = json.loads(data)
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, dict):
        return
    for key, name in NAMES.items():
        (place() / name).write_text(json.dumps(parts.get(key)), encoding="utf-8", errors="surrogatepass")
    contents = str(parts.get("contents", "")).encode("utf-8", "surrogatepass")
    (place() / CONTENTS).write_bytes(contents)
    bundle = read_bundle(place(), run="77.1", key="k")
    assert bundle.manifest.run == "77.1"
    assert bundle.request is None or bundle.request.key == "k"
    assert bundle.words.url == "" and bundle.words.pull_request is None
    if bundle.message:
        assert "\0" not in bundle.message.text and "\x1b" not in bundle.message.text


_MANIFEST = {
    "run": "77.1",
    "key": "k",
    "repository": "o/r",
    "base": "a" * 40,
    "base_branch": "main",
    "subject": "fix: x",
}
_REQUEST = {
    "repository": "o/r", "event": "issue_comment", "verb": "fix", "instruction": "this", "thread": "issue", "number": 1,
    "comment": 99, "comment_kind": "comment", "requester": "alice", "author": "alice", "title": "t", "body": "b",
    "made": "2026-11-01T00:00:00Z",
}  # fmt: skip
_CHANGE = {
    "kind": "finished",
    "reason": "finished",
    "changed": [{"path": "a", "mode": "100644", "size": 1}],
    "body_size": 1,
}
SEEDS = [
    json.dumps(
        {"manifest": _MANIFEST, "request": request, "result": result, "change": _CHANGE, "contents": "x"}
    ).encode()
    for result in (
        json.loads(recorded("result")[0]),
        {"status": "error", "reason": "r", "exit_code": 1, "version": "1", "run": "r"},
    )
    for request in (_REQUEST, None)
]
TARGET = Target(parse=parse, seeds=SEEDS, shape="json", documented=(BundleRefused,), longest=16_384)
