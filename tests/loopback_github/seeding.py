"""How tests put repositories on the loopback GitHub and look into them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.loopback_github import git_store, pushes
from tests.loopback_github.world import Repository, World

AUTHOR = ("A Developer", "developer@example.invalid")


class RepositorySeeding:
    """Everything takes names; `repository` may be left out where there is one only."""

    def __init__(self, world: World) -> None:
        self.world = world

    def repository(self, name: str = "") -> Repository:
        """Return a repository's state, free to be looked at and changed."""
        found = self.world.repository(name) if name else next(iter(self.world.repositories.values()), None)
        assert found, f"there is no repository {name}"
        return found

    def add_repository(
        self,
        full_name: str,
        files: Mapping[str, str | bytes] | None = None,
        *,
        private: bool = False,
        default_branch: str = "main",
    ) -> Repository:
        """Make a repository with one commit of these files."""
        git = git_store.make_bare(self.world.directory / f"{full_name}.git", default_branch)
        sha = git_store.commit_files(git, None, files or {"README.md": "# A repository\n"}, "Start\n", AUTHOR)
        git_store.set_ref(git, f"refs/heads/{default_branch}", sha)
        repo = Repository(full_name, self.world.new_id(), git, default_branch, private)
        self.world.account(repo.owner)
        self.world.repositories[full_name.lower()] = repo
        pushes.note(self.world, repo, repo.owner)
        return repo

    def fork(self, login: str, repository: str = "") -> Repository:
        """Fork a repository into an account."""
        parent = self.repository(repository)
        repo = self.add_repository(
            f"{login}/{parent.name}", private=parent.private, default_branch=parent.default_branch
        )
        head = self.branch(parent.default_branch, parent.full_name)
        assert head
        git_store.fetch_into(repo.git, parent.git, head)
        git_store.set_ref(repo.git, f"refs/heads/{repo.default_branch}", head)
        repo.fork_of = parent.full_name
        return repo

    def rename(self, new: str, repository: str = "") -> None:
        """Rename a repository; its old name leads to the new one."""
        repo = self.repository(repository)
        del self.world.repositories[repo.full_name.lower()]
        self.world.renamed[repo.full_name.lower()] = new
        self.world.repositories[new.lower()], repo.full_name = repo, new

    def delete_repository(self, name: str) -> None:
        """Remove a repository, such as a fork whose pull request stays."""
        del self.world.repositories[self.repository(name).full_name.lower()]

    def push(
        self, branch: str, files: Mapping[str, str | bytes | None], message: str = "A change\n", *, repository: str = "",
        author: tuple[str, str] = AUTHOR, modes: Mapping[str, str] | None = None, login: str = "", at: datetime | None = None,
    ) -> str:  # fmt: skip
        """Commit files (None deletes one) on a branch, made from the default branch where it is new; return the commit."""
        repo = self.repository(repository)
        parent = git_store.branch_head(repo.git, branch) or git_store.branch_head(repo.git, repo.default_branch)
        sha = git_store.commit_files(repo.git, parent, files, message, author, modes=modes)
        git_store.set_ref(repo.git, f"refs/heads/{branch}", sha)
        pushes.note(self.world, repo, login or repo.owner, at)
        return sha

    def branch(self, name: str, repository: str = "") -> str | None:
        """Return a branch's commit."""
        return git_store.branch_head(self.repository(repository).git, name)

    def branches(self, repository: str = "") -> dict[str, str]:
        """Return branches and their commits."""
        found = git_store.refs(self.repository(repository).git, "refs/heads/")
        return {name.removeprefix("refs/heads/"): sha for name, sha in found.items()}

    def file(self, path: str, ref: str = "", repository: str = "") -> bytes | None:
        """Return a file's content on a branch or at a commit."""
        repo = self.repository(repository)
        commit = git_store.resolve(repo.git, ref or repo.default_branch)
        return git_store.blob(repo.git, commit, path) if commit else None

    def commits(self, branch: str, base: str = "", repository: str = "") -> list[dict[str, Any]]:
        """Return what a branch has beyond `base` (the default branch), newest first, as git names it."""
        repo = self.repository(repository)
        return git_store.commits(repo.git, f"{base or repo.default_branch}..{branch}")
