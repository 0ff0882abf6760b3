"""`ay-bot policy check`: a diff, judged as if it came out of a box: what might leave, what not, and by which rule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Literal

from ay_bot.errors import ExitCode, UsageError
from ay_bot.host.changes import NoChange, Refused, VerifiedPatch, propose
from ay_bot.host.checkout import Checkout, TreeDifference
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.path_policy import Guard, PathPolicy, find_guard, find_path_fault
from ay_bot.host.plain_text import clean_line
from ay_bot.host.policy.rules import Tier
from ay_bot.host.policy.source import PolicySource
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import ChangedFile, FileMode, Finished

MIB = 1024 * 1024
LONGEST = 8 * MIB
LONGEST_BINARY = 2 * MIB
LARGEST_RESULT = 64 * MIB
GONE: Final = "000000"
Verdict = Literal["open", "review", "withheld", "refused"]
Change = Literal["added", "modified", "deleted"]
_KINDS: Mapping[str, Change] = {"A": "added", "M": "modified", "T": "modified", "D": "deleted"}
_BINARY = re.compile(rb"^(?:literal|delta) ([0-9]+)\r?$", re.MULTILINE)
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_MODES: dict[str, FileMode] = {"100644": "100644", "100755": "100755", "120000": "120000"}


class JudgedPath(Value):
    """What becomes of the change of one file."""

    path: str
    change: Change
    tier: Tier
    verdict: Verdict
    rule: str = ""
    where: str = ""


class JudgedDiff(Value):
    """What becomes of a diff. `refused` says why nothing of it may leave, where that is so."""

    paths: tuple[JudgedPath, ...]
    refused: str = ""
    by_text: bool = False
    """Whether only the text of the diff was read, for want of a repository that it applies to."""
    alarms: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """6 where anything would be held back."""
        held = self.refused or any(path.verdict in {"withheld", "refused"} for path in self.paths)
        return ExitCode.CHANGE_REFUSED if held else ExitCode.HANDLED


def read_diff(name: str, standard_input: IO[bytes]) -> bytes:
    """Return what a file holds, or stdin for `-`; more than is ever read ends it. Raises UsageError."""
    try:
        if name == "-":
            return standard_input.read(LONGEST + 1)
        with Path(name).open("rb") as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}", hint="give a file with a diff, or `-`") from None


def check_diff(diff: bytes, source: PolicySource) -> JudgedDiff:
    """Judge a diff, which may be anybody's. Raises UsageError where it is none, or doesn't apply to HEAD."""
    _require_bounds(diff, source.paths)
    if not diff.strip():
        return JudgedDiff(paths=())
    if source.checkout is None:
        return _judge_text(diff, source)
    return _judge_tree(source.checkout, _apply(diff, source.checkout), source)


def _require_bounds(diff: bytes, policy: PathPolicy) -> None:
    if len(diff) > LONGEST:
        raise UsageError(f"the diff has more than {LONGEST} bytes", hint="check it in parts")
    if any(len(size) > 9 or int(size) > LONGEST_BINARY for size in _BINARY.findall(diff)):
        raise UsageError(f"the diff holds a binary file of more than {LONGEST_BINARY} bytes", hint="leave that out")
    if len(_FILE.findall(diff)) > 10 * policy.files:
        raise UsageError(f"the diff has more than {10 * policy.files} files", hint="check it in parts")


def _apply(diff: bytes, checkout: Checkout) -> str:
    """Apply the diff to HEAD in the clone's own index, where there is no work tree, and return the tree."""
    # A delta says how large its result is; git would set aside that much for it.
    index = {"GIT_INDEX_FILE": str(checkout.git_dir / "checked-index"), "GIT_ALLOC_LIMIT": str(LARGEST_RESULT)}
    run_git(["read-tree", checkout.repository.head], git_dir=checkout.git_dir, environment=index)
    try:
        run_git(
            ["apply", "--cached", "--whitespace=nowarn", "-"], git_dir=checkout.git_dir, data=diff, environment=index
        )
        written = run_git(["write-tree"], git_dir=checkout.git_dir, environment=index)
    except GitFailed as failure:
        what = clean_line(failure.complaint.replace("\n", "; "))[:500]
        hint = "a diff is judged by the tree that it makes: take one of git's own, against HEAD"
        raise UsageError(f"the diff can't be applied to HEAD: {what}", hint=hint) from None
    return written.decode().strip()


def _judge_tree(checkout: Checkout, tree: str, source: PolicySource) -> JudgedDiff:
    base = checkout.repository.head
    differences = checkout.compare(base, tree)
    finished, body = _as_finished(checkout, tree, differences)
    proposed = propose(checkout, base, finished, body, source.paths)
    held = {} if isinstance(proposed, NoChange) else {path.path: path.rule for path in proposed.withheld}
    broken = {_text(one): "is a submodule" for one in differences if one.new_mode not in {*_MODES, GONE}}
    refused = next((f"{path!r} {why}" for path, why in broken.items()), "")
    if isinstance(proposed, Refused) and not held:
        refused = refused or clean_line(str(proposed))
        broken.setdefault(proposed.path, proposed.rule)
    paths = tuple(_judge_path(_text(one), _KINDS[one.status], source, held, broken) for one in differences)
    return JudgedDiff(
        paths=paths, refused=refused, alarms=proposed.alarms if isinstance(proposed, VerifiedPatch) else ()
    )


def _as_finished(checkout: Checkout, tree: str, differences: Sequence[TreeDifference]) -> tuple[Finished, bytes]:
    """Return a tree's differences as if an agent had reported them."""
    written = {one.path: _MODES[one.new_mode] for one in differences if one.new_mode in _MODES}
    contents = checkout.read_files(tree, list(written))
    changed = tuple(
        ChangedFile(path=path.decode("utf-8", "surrogateescape"), mode=mode, size=len(contents.get(path, b"")))
        for path, mode in written.items()
    )
    gone = tuple(one.path.decode("utf-8", "surrogateescape") for one in differences if one.new_mode == GONE)
    return Finished(reason="finished", changed=changed, deleted=gone), b"".join(contents.values())


def _judge_path(
    path: str, change: Change, source: PolicySource, held: Mapping[str, str], broken: Mapping[str, str]
) -> JudgedPath:
    guard = find_guard(path, source.paths)
    tier = guard.tier if guard else "open"
    rule, where = (guard.reason, _place(guard, source)) if guard else ("", "")
    verdict: Verdict = "review" if tier == "review" else "open"
    if path in broken:
        verdict, rule, where = "refused", broken[path], "built-in"
    elif path in held or tier == "never":
        verdict, rule = "withheld", held.get(path, rule)
    return JudgedPath(path=path, change=change, tier=tier, verdict=verdict, rule=rule, where=where)


def _place(guard: Guard, source: PolicySource) -> str:
    return source.place("files", guard.place) if guard.kind == "settings" else f"built-in rule {guard.pattern}"


def _text(difference: TreeDifference) -> str:
    return difference.path.decode("utf-8", "replace")


def _judge_text(diff: bytes, source: PolicySource) -> JudgedDiff:
    """Judge the names that a diff says, where there is no tree to apply it to."""
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    try:
        files = list(PatchSet(diff.decode("utf-8", "replace")))
    except (UnidiffParseError, ValueError, IndexError) as error:
        raise UsageError(f"this is no diff: {clean_line(str(error))[:200]}", hint="take one of git's own") from None
    if not files:
        raise UsageError("this is no diff: it names no file", hint="take one of git's own: git diff HEAD")
    judged: dict[str, JudgedPath] = {}
    for file in files:
        for path, kind in _names(file.source_file, file.target_file):
            fault = find_path_fault(path)
            judged[path] = _judge_path(path, kind, source, {}, {path: fault} if fault else {})
    broken = next((f"{path.path!r} {path.rule}" for path in judged.values() if path.verdict == "refused"), "")
    return JudgedDiff(paths=tuple(judged.values()), refused=broken, by_text=True)


def _names(source: str, target: str) -> Iterator[tuple[str, Change]]:
    before, after = source.removeprefix("a/"), target.removeprefix("b/")
    if source == "/dev/null":
        yield after, "added"
    elif target == "/dev/null":
        yield before, "deleted"
    elif before != after:
        yield before, "deleted"
        yield after, "added"
    else:
        yield after, "modified"


def render_judged(judged: JudgedDiff) -> str:
    """Return a judged diff as a table for people."""
    rows = [("VERDICT", "TIER", "CHANGE", "PATH", "RULE")]
    for path in judged.paths:
        rule = f"{path.rule} ({path.where})" if path.rule else ""
        rows.append((path.verdict, path.tier, path.change, clean_line(path.path), clean_line(rule)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join((*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4])).rstrip()
        for row in rows
    ]
    lines += [f"alarm: {alarm}" for alarm in judged.alarms]
    if judged.refused:
        lines.append(f"the whole change would be refused: {clean_line(judged.refused)}")
    if judged.by_text:
        lines.append("note: judged by the text of the diff alone; with --repo the tree that it makes is judged")
    return "\n".join(lines)
