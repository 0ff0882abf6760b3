"""The user's repository, found and described without changing a byte of it or running anything it configures."""

from collections.abc import Mapping
from pathlib import Path

from ay_bot.errors import UsageError
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.repository_notices import list_notices
from ay_bot.host.work_tree import Dirt, look_for_changes
from ay_bot.protocol.conversation import Value

_FACTS = (
    "--path-format=absolute",
    "--absolute-git-dir",
    "--git-common-dir",
    "--is-bare-repository",
)


class Repository(Value):
    """Where a repository is, and the commit that a run works from. Paths are absolute."""

    path: Path  # the top of the work tree; for a bare repository its git directory
    git_dir: Path
    common_dir: Path  # differs from git_dir in a linked work tree
    objects: Path
    object_format: str  # sha1 or sha256
    head: str
    branch: str | None  # None where HEAD is detached
    bare: bool
    shallow: bool
    dirt: Dirt
    notices: tuple[str, ...]

    @property
    def dirty(self) -> bool:
        """Whether the work tree is known to differ from HEAD."""
        return self.dirt == "dirty"


def open_repository(path: Path) -> Repository:
    """Find the repository that `path` is in. Raises UsageError for whatever can't be worked from."""
    git_dir, common_dir, top, bare = _discover(_existing_directory(path))
    head, branch = _read_head(git_dir, top)
    dirt: Dirt = "clean" if bare else look_for_changes(git_dir, top)
    shallow = (common_dir / "shallow").is_file()
    try:
        notices = list_notices(git_dir, head, shallow=shallow, partial=_is_partial(common_dir))
    except GitFailed as failure:
        raise _corrupted(top, failure) from None
    return Repository(
        path=top,
        git_dir=git_dir,
        common_dir=common_dir,
        objects=common_dir / "objects",
        object_format="sha256" if len(head) == 64 else "sha1",
        head=head,
        branch=branch,
        bare=bare,
        shallow=shallow,
        dirt=dirt,
        notices=(*_dirt_notices(dirt, head), *notices),
    )


def _existing_directory(path: Path) -> Path:
    absolute = path.expanduser().absolute()
    if not absolute.exists():
        raise UsageError(f"{absolute} does not exist", hint="give the directory of a git repository with --repo")
    if not absolute.is_dir():
        raise UsageError(f"{absolute} is a file, not a directory", hint="give the directory of a git repository")
    return absolute.resolve()


def _discover(directory: Path) -> tuple[Path, Path, Path, bool]:
    # Git's own rule for repositories of other users stands in the user's configuration, so this
    # command reads it. rev-parse runs nothing that a configuration could name.
    user = {"HOME": str(Path.home()), "GIT_CONFIG_GLOBAL": str(Path.home() / ".gitconfig"), "GIT_CONFIG_NOSYSTEM": "0"}
    try:
        return _ask_for_places(directory, user, "--show-toplevel")
    except GitFailed as failure:
        if "must be run in a work tree" not in failure.complaint:
            raise _explain(directory, failure) from None
    git_dir, common_dir, _, bare = _ask_for_places(directory, user)
    if bare:
        return git_dir, common_dir, git_dir, True
    msg = f"{directory} is inside the .git directory of a repository"
    raise UsageError(msg, hint="give the work tree, usually the directory above .git")


def _ask_for_places(directory: Path, user: Mapping[str, str], *more: str) -> tuple[Path, Path, Path, bool]:
    facts = run_git(["rev-parse", *_FACTS, *more], directory=directory, environment=user)
    git_dir, common_dir, bare, *top = facts.decode("utf-8", "surrogateescape").splitlines()
    return Path(git_dir), Path(common_dir), Path(top[0] if top else git_dir), bare == "true"


def _explain(directory: Path, failure: GitFailed) -> UsageError:
    complaint = failure.complaint
    if "dubious ownership" in complaint:
        return UsageError(
            f"{directory} belongs to another user, and git refuses to work in it",
            hint=f"if you trust it: git config --global --add safe.directory '{directory}'",
        )
    if "not a git repository" in complaint.lower():
        return UsageError(
            f"{directory} is not in a git repository",
            hint="give one with --repo, or make one: git init && git add -A && git commit -m 'Start'",
        )
    return UsageError(
        f"git can't read the repository of {directory}: {complaint.removeprefix('fatal: ')}",
        hint="see what git itself says: git status; git fsck",
    )


def _read_head(git_dir: Path, top: Path) -> tuple[str, str | None]:
    try:
        facts = run_git(["rev-parse", "HEAD^{commit}", "HEAD^{tree}", "--symbolic-full-name", "HEAD"], git_dir=git_dir)
    except GitFailed as failure:
        branch = _unborn_branch(git_dir)
        if branch is None:
            raise _corrupted(top, failure) from None
        msg = f"{top} has no commit yet: branch {branch} is unborn"
        raise UsageError(msg, hint="commit what you have: git add -A && git commit -m 'Start'") from None
    commit, _, name = facts.decode("utf-8", "replace").splitlines()
    return commit, None if name == "HEAD" else name.removeprefix("refs/heads/")


def _unborn_branch(git_dir: Path) -> str | None:
    try:
        name = run_git(["symbolic-ref", "--quiet", "HEAD"], git_dir=git_dir).decode("utf-8", "replace").strip()
    except GitFailed:
        return None
    branch = name.removeprefix("refs/heads/")
    return None if _ref_exists(git_dir, branch) else branch


def _ref_exists(git_dir: Path, branch: str) -> bool:
    try:
        run_git(["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"], git_dir=git_dir)
    except GitFailed:
        return False
    return True


def _corrupted(top: Path, failure: GitFailed) -> UsageError:
    msg = f"the commit that HEAD of {top} names can't be read: {failure.complaint or 'its objects are missing'}"
    return UsageError(msg, hint="the repository is damaged or incomplete; see: git fsck")


def _is_partial(common_dir: Path) -> bool:
    return any((common_dir / "objects" / "pack").glob("*.promisor"))


def _dirt_notices(dirt: Dirt, head: str) -> tuple[str, ...]:
    if dirt == "dirty":
        return (
            f"The work tree has changes that are not committed; the run works from HEAD ({head[:12]}) without them.",
        )
    if dirt == "unknown":
        return (
            f"Whether the work tree has changes can't be told without running filters; HEAD ({head[:12]}) is used.",
        )
    return ()


def find_git_dir(path: Path) -> Path:
    """Return the git directory of the repository that `path` is in. Raises UsageError where there is none."""
    return _discover(_existing_directory(path))[0]
