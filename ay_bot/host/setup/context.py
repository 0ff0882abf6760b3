"""The context of a build: what a commit gives to it, without what is ignored, and the ids that make up its key."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ay_bot.errors import UsageError
from ay_bot.host.checkout import Checkout
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.plain_text import clean_line
from ay_bot.host.sandbox import MIB
from ay_bot.host.setup.dockerfile import find_sources
from ay_bot.host.setup.ignoring import NAME, Ignored

LARGEST_CONTEXT: Final = 1024 * MIB
DOCKERFILE_IN_CONTEXT: Final = ".ay-bot.Dockerfile"


@dataclass(frozen=True)
class Plan:
    """A build: paths are from the repository's root."""

    dockerfile: str
    context: str
    args: Mapping[str, str]
    target: str


@dataclass(frozen=True)
class Source:
    """The commit that a build reads, and what of it makes up its key."""

    checkout: Checkout
    commit: str

    def key_files(self, plan: Plan) -> tuple[tuple[str, str, str], ...]:
        """Return path, mode and id of all that the build depends on: whole directories by their tree's id."""
        content = self.read(plan)
        sources = find_sources(content, plan.dockerfile)
        wanted = [plan.context] if sources is None else [_join(plan.context, source) for source in sources]
        told = [("Dockerfile", plan.target, self._id(plan.dockerfile))]
        told += [("argument", name, value) for name, value in sorted(plan.args.items())]
        ignored = self.read_ignored(plan)
        return (*told, *(("source", path, self._identify(plan, path, ignored)) for path in sorted(set(wanted))))

    def read(self, plan: Plan) -> bytes:
        """Return the Dockerfile. Raises UsageError."""
        content = self.checkout.read_file(self.commit, plan.dockerfile)
        if content is None:
            what = f"there is no `{clean_line(plan.dockerfile)}` in commit {self.commit[:12]}"
            raise UsageError(what, hint="name a Dockerfile of the repository, by its path from the root")
        return content

    def read_ignored(self, plan: Plan) -> Ignored:
        """Return what the build does not get: as the file beside the Dockerfile says, or that of the context."""
        for path in (f"{plan.dockerfile}{NAME}", _join(plan.context, NAME)):
            if content := self.checkout.read_file(self.commit, path):
                return Ignored(content, path)
        return Ignored(b"", NAME)

    def write_context(self, plan: Plan, destination: Path) -> str:
        """Write the context as a tar file, and return the name that the Dockerfile has in it."""
        tree = self._id(plan.context)
        size = self.checkout.archive(tree, destination)
        ignored = self.read_ignored(plan)
        if ignored.says_something:
            size = leave_out(destination, ignored)
        if size > LARGEST_CONTEXT:
            what = f"the context of {plan.dockerfile} is larger than {LARGEST_CONTEXT // MIB} MiB"
            raise UsageError(
                what, hint=f"name what it does not need in {NAME}, or a smaller directory in a devcontainer.json"
            )
        inside = _inside(plan.context, plan.dockerfile)
        if inside and ignored.keeps(inside):
            return inside
        self._add_dockerfile(plan, destination, keeps_ignore=ignored.keeps(NAME))
        return DOCKERFILE_IN_CONTEXT

    def _add_dockerfile(self, plan: Plan, destination: Path, *, keeps_ignore: bool) -> None:
        """Add a Dockerfile that is not in the context; the engine takes it out again, as its `.dockerignore` says."""
        ignore = self.checkout.read_file(self.commit, _join(plan.context, NAME)) if keeps_ignore else None
        lines = (ignore or NAME.encode()) + f"\n{DOCKERFILE_IN_CONTEXT}\n".encode()
        with tarfile.open(destination, "a") as tar:
            for name, content in ((DOCKERFILE_IN_CONTEXT, self.read(plan)), (NAME, lines)):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o644
                tar.addfile(entry, io.BytesIO(content))

    def _identify(self, plan: Plan, path: str, ignored: Ignored) -> str:
        """Return the id of what a build gets of a path: of a directory's files, those that are not left out."""
        whole = self._id(path)
        if not ignored.says_something:
            return whole
        got = hashlib.sha256()
        inside = _inside(plan.context, path)
        for name, entry in sorted(self.checkout.list_files(self._id(plan.context)).items()):
            text = name.decode("utf-8", "surrogateescape")
            if (inside in {"", text} or text.startswith(f"{inside}/")) and ignored.keeps(text):
                got.update(b"%b\0%b\0%b\0" % (name, entry.mode.encode(), entry.object_id.encode()))
        return got.hexdigest()

    def _id(self, path: str) -> str:
        """Return the id of what is at a path: a blob's, or a tree's."""
        name = f"{self.commit}^{{tree}}" if path in {"", "."} else f"{self.commit}:{path}"
        try:
            found = run_git(["rev-parse", "--verify", "--end-of-options", name], git_dir=self.checkout.git_dir)
        except GitFailed:
            what = f"there is no `{clean_line(path)}` in commit {self.commit[:12]}, which the image is built from"
            raise UsageError(what, hint="the image is built from what is committed") from None
        return found.decode().strip()


def leave_out(context: Path, ignored: Ignored) -> int:
    """Write a context anew without what is ignored, and return its size."""
    whole = context.with_suffix(".whole")
    context.rename(whole)
    with tarfile.open(whole) as read, tarfile.open(context, "w") as written:
        for entry in read:
            if ignored.keeps(entry.name.rstrip("/")):
                written.addfile(entry, read.extractfile(entry) if entry.isfile() else None)
    whole.unlink()
    return context.stat().st_size


def _inside(context: str, path: str) -> str:
    """Return a path as the context calls it; "" for the context itself, and for what is not in it."""
    if context in {"", "."}:
        return "" if path == "." else path
    return path.removeprefix(f"{context}/") if path.startswith(f"{context}/") else ""


def _join(context: str, source: str) -> str:
    return "/".join(part for part in (context, source) if part not in {"", "."})
