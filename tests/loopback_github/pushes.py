"""GitHub's record of pushes: what a branch pointed at, and since when."""

from datetime import datetime

from tests.loopback_github import git_store
from tests.loopback_github.world import Repository, World

NOTHING = "0" * 40


def note(world: World, repository: Repository, login: str, at: datetime | None = None) -> None:
    """Write down what changed on the branches since the last look."""
    now = git_store.refs(repository.git, "refs/heads/")
    for ref in sorted({*now, *repository.known_heads}):
        before, after = repository.known_heads.get(ref, NOTHING), now.get(ref, NOTHING)
        if before != after:
            row = {
                "id": world.new_id(),
                "before": before,
                "after": after,
                "ref": ref,
                "login": world.account(login).login,
            }
            repository.activities.append(
                {**row, "created": at or world.now(), "activity_type": _kind(repository, before, after)}
            )
    repository.known_heads = now


def _kind(repository: Repository, before: str, after: str) -> str:
    if NOTHING in (before, after):
        return "branch_creation" if before == NOTHING else "branch_deletion"
    return "push" if git_store.merge_base(repository.git, before, after) == before else "force_push"
