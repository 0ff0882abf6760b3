"""What the job with the model hands over to the job with the write token: a fixed set of files, read as hostile.

The change is in it as the agent's file records and their contents, never as a patch, an archive or a pack: whoever
reads it judges every record again, builds the tree anew and proves it again. A bundle belongs to one run and one
request, and one of anything else is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host.commit_message import CommitMessage, clean
from ay_bot.host.github.bundle_files import MOST_BYTES, BundleRefused, read_files
from ay_bot.host.github.request import Request
from ay_bot.host.report import Result
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import Finished

MANIFEST, REQUEST, RESULT, CHANGE, CONTENTS = "bundle.json", "request.json", "result.json", "change.json", "contents"
_Model = TypeVar("_Model", bound=Value)
Id = Annotated[str, Field(min_length=1, max_length=200)]


class Manifest(Value):
    """What a bundle is for, and what of the change isn't a file. `base` is the commit that it was made on."""

    version: Literal[1] = 1
    run: Id
    key: Id
    repository: Id
    base: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
    base_branch: Id
    subject: Annotated[str, Field(max_length=1_000)] = ""
    body: Annotated[str, Field(max_length=20_000)] = ""


_OF_WHO_PUBLISHES = ("url", "branch", "commit", "tree", "commit_message")
_EXIT_CODES = frozenset(ExitCode)


class Bundle(Value):
    """A hand-over. `finished` with `contents` is what `ay_bot.host.changes.propose` takes.

    Everything in it is the other job's word: the request must have the key of one's own, the change is proven again,
    and the result is for people alone.
    """

    manifest: Manifest
    request: Request | None
    result: Result
    finished: Finished
    contents: bytes

    @property
    def message(self) -> CommitMessage | None:
        """The commit message, put into form again; None where nothing usable is left of it."""
        return clean(f"{self.manifest.subject}\n\n{self.manifest.body}")

    @property
    def words(self) -> Result:
        """The result with what the other job may say, and without what only who publishes can know.

        Where its tests failed, how they did is told; a proof that they passed is never taken from it.
        """
        known = self.result.verification if self.result.status == "tests_failed" else None
        nothing = {"verification": known, "pull_request": None}
        return self.result.model_copy(update={**nothing, **dict.fromkeys(_OF_WHO_PUBLISHES, "")})


def write_bundle(directory: Path, bundle: Bundle) -> None:
    """Write a bundle into a new or empty directory."""
    files: dict[str, bytes] = {
        MANIFEST: _dump(bundle.manifest),
        RESULT: _dump(bundle.result),
        CHANGE: _dump(bundle.finished),
        CONTENTS: bundle.contents,
    }
    if bundle.request:
        files[REQUEST] = _dump(bundle.request)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(f"`{directory}` is not empty", hint="give a directory of its own for the bundle")
        for name, content in files.items():
            (directory / name).write_bytes(content)
    except OSError as error:
        msg = f"the bundle could not be written to `{directory}`: {error.strerror}"
        raise UsageError(msg, hint="give a directory that you may write to") from None


def read_bundle(path: Path, *, run: str, key: str, request: Request | None = None) -> Bundle:
    """Read a bundle from a directory or a zip file; raise BundleRefused unless it is whole and for this run and key.

    With `request` there must be one in the bundle, by the same key; whoever reads it works with its own all the same,
    since a request that no comment made is put together anew in each job, from the thread as it is then.
    """
    caps = {MANIFEST: 64 * 1024, REQUEST: 4 * MOST_BYTES, RESULT: MOST_BYTES, CHANGE: MOST_BYTES, CONTENTS: MOST_BYTES}
    files = read_files(path, caps, optional=frozenset({REQUEST}))
    manifest = _parse(Manifest, MANIFEST, files)
    _require_same("run", manifest.run, run)
    _require_same("request", manifest.key, key)
    bundle = Bundle(
        manifest=manifest,
        request=_parse(Request, REQUEST, files) if REQUEST in files else None,
        result=_parse(Result, RESULT, files),
        finished=_parse(Finished, CHANGE, files),
        contents=files[CONTENTS],
    )
    if request is not None and (bundle.request is None or bundle.request.key != request.key):
        raise BundleRefused("the bundle holds another request than the one that this job was started for")
    if bundle.request is not None and bundle.request.key != key:
        raise BundleRefused("the request in the bundle is not the one that the bundle says it is for")
    if bundle.result.exit_code not in _EXIT_CODES:
        raise BundleRefused("the result in the bundle has an exit code that does not exist")
    if bundle.finished.body_size != len(bundle.contents):
        raise BundleRefused("the contents in the bundle have another size than its records say")
    return bundle


def _require_same(what: str, said: str, wanted: str) -> None:
    if said != wanted:
        raise BundleRefused(f"the bundle is for {what} {said[:60]!r}, and this is {what} {wanted[:60]!r}")


def _parse(model: type[_Model], name: str, files: Mapping[str, bytes]) -> _Model:
    try:
        return model.model_validate_json(files[name])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise BundleRefused(f"`{name}` in the bundle is malformed: {where}: {first['msg'][:200]}") from None


def _dump(value: Value) -> bytes:
    return value.model_dump_json(indent=1).encode("utf-8", "surrogatepass")
