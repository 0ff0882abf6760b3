"""How tests put things on the loopback GitHub, as people and Apps would have, and look at what is there."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.loopback_github import git_store, payloads
from tests.loopback_github.rest_pulls import refresh
from tests.loopback_github.world import Account, App, Comment, Repository, Thread, Token, World

AUTHOR = ("A Developer", "developer@example.invalid")
GITHUB_TOKEN = {"metadata": "read", "contents": "write", "issues": "write", "pull_requests": "write", "statuses": "write",
                "checks": "read", "actions": "write"}  # fmt: skip


class Seeding:
    """Everything takes names; `repository` may be left out where there is one only."""

    def __init__(self, world: World) -> None:
        self.world = world

    def repository(self, name: str = "") -> Repository:
        """Return a repository's state, free to be looked at and changed."""
        found = self.world.repository(name) if name else next(iter(self.world.repositories.values()), None)
        assert found, f"there is no repository {name}"
        return found

    # ------------------------------------------------------------------ repositories and git

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

    def push(
        self, branch: str, files: Mapping[str, str | bytes | None], message: str = "A change\n", *, repository: str = "",
        author: tuple[str, str] = AUTHOR, modes: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """Commit files (None deletes one) on a branch, made from the default branch where it is new; return the commit."""
        repo = self.repository(repository)
        parent = git_store.branch_head(repo.git, branch) or git_store.branch_head(repo.git, repo.default_branch)
        sha = git_store.commit_files(repo.git, parent, files, message, author, modes=modes)
        git_store.set_ref(repo.git, f"refs/heads/{branch}", sha)
        return sha

    def branch(self, name: str, repository: str = "") -> str | None:
        """Return a branch's commit."""
        return git_store.branch_head(self.repository(repository).git, name)

    def branches(self, repository: str = "") -> dict[str, str]:
        """Return branches and their commits."""
        found = git_store.refs(self.repository(repository).git, "refs/heads/")
        return {name.removeprefix("refs/heads/"): sha for name, sha in found.items()}

    fetch_branch = branches

    def file(self, path: str, ref: str = "", repository: str = "") -> bytes | None:
        """Return a file's content on a branch or at a commit."""
        repo = self.repository(repository)
        commit = git_store.resolve(repo.git, ref or repo.default_branch)
        return git_store.blob(repo.git, commit, path) if commit else None

    def commits(self, branch: str, base: str = "", repository: str = "") -> list[dict[str, Any]]:
        """Return what a branch has beyond `base` (the default branch), newest first, as git names it."""
        repo = self.repository(repository)
        return git_store.commits(repo.git, f"{base or repo.default_branch}..{branch}")

    # ------------------------------------------------------------------ people, Apps, tokens

    def add_user(
        self,
        login: str,
        role: str = "",
        *,
        repository: str = "",
        association: str = "",
        name: str | None = None,
        email: str | None = None,
    ) -> Account:
        """Make an account, with a role on the repository; the association is what GitHub would say of that."""
        account = self.world.account(login)
        account.name, account.email = name or account.name, email or account.email
        if role:
            self.repository(repository).roles[login.lower()] = role
        if association:
            self.repository(repository).associations[login.lower()] = association
        return account

    def add_token(
        self, login: str, permissions: Mapping[str, str] | None = None, *, app: str | None = None, value: str = "",
        repositories: Sequence[str] | None = None, expires: datetime | None = None,
    ) -> str:  # fmt: skip
        """Return a token of an account; with `permissions` a fine-grained one, with `app` an installation's."""
        self.world.account(login)
        prefix = "ghs_" if app else "ghp_" if permissions is None else "github_pat_"
        value = value or prefix + secrets.token_hex(18)
        within = frozenset(name.lower() for name in repositories) if repositories is not None else None
        granted = None if permissions is None else {"metadata": "read", **permissions}
        self.world.tokens[value] = Token(value, login, granted, within, app, expires)
        return value

    def add_actions_token(self, permissions: Mapping[str, str] | None = None, *, repository: str = "") -> str:
        """Return a GITHUB_TOKEN of a workflow: that of `github-actions[bot]` for one repository."""
        name = self.repository(repository).full_name
        granted = GITHUB_TOKEN if permissions is None else permissions
        return self.add_token("github-actions[bot]", granted, app="github-actions", repositories=[name])

    def add_app(
        self, slug: str, permissions: Mapping[str, str] | None = None, *, repositories: Sequence[str] = ()
    ) -> App:
        """Register an App with a key of its own and install it on repositories."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        granted = {"metadata": "read", **(permissions or GITHUB_TOKEN)}
        app = self.world.apps[slug] = App(slug, self.world.new_id(), private.decode(), public.decode(), granted)
        self.world.account(f"{slug}[bot]")
        for repo in [self.repository(name) for name in repositories or [""]]:
            repo.apps.add(slug)
            if repo.owner not in app.installations.values():
                app.installations[self.world.new_id()] = repo.owner
        return app

    # ------------------------------------------------------------------ threads

    def _open(self, kind: str, login: str, title: str, body: str, at: datetime | None, repo: Repository) -> Thread:
        self.world.account(login)
        now = at or self.world.now()
        thread = Thread(self.world.new_id(), max(repo.threads, default=0) + 1, kind, title, body, login, now, now)
        repo.threads[thread.number] = thread
        return thread

    def open_issue(
        self, title: str = "It is broken", body: str = "", *, login: str = "maria", labels: Sequence[str] = (),
        at: datetime | None = None, repository: str = "",
    ) -> Thread:  # fmt: skip
        """Open an issue."""
        repo = self.repository(repository)
        thread = self._open("issue", login, title, body, at, repo)
        for label in labels:
            self.label(thread.number, label, login=login, repository=repository)
        return thread

    def open_pull(
        self, title: str = "A change", body: str = "", *, login: str = "maria", head: str, base: str = "", draft: bool = False,
        head_repository: str = "", maintainer_can_modify: bool = False, at: datetime | None = None, repository: str = "",
    ) -> Thread:  # fmt: skip
        """Open a pull request from a branch that is there (see `push`); of a fork with `head_repository`."""
        repo = self.repository(repository)
        thread = self._open("pull_request", login, title, body, at, repo)
        thread.head_repository, thread.head_branch = head_repository or repo.full_name, head
        thread.base_branch, thread.draft = base or repo.default_branch, draft
        thread.maintainer_can_modify = maintainer_can_modify
        refresh(self.world, repo, thread)
        assert thread.head, f"there is no branch {head}"
        return thread

    def comment(
        self,
        number: int,
        body: str,
        *,
        login: str = "maria",
        at: datetime | None = None,
        edited: datetime | None = None,
        repository: str = "",
    ) -> Comment:
        """Write a comment on a thread."""
        return self._comment("comment", number, body, login, at, edited, repository)

    def review(
        self,
        number: int,
        body: str = "",
        *,
        login: str = "maria",
        state: str = "COMMENTED",
        at: datetime | None = None,
        repository: str = "",
    ) -> Comment:
        """Write a review on a pull request."""
        made = self._comment("review", number, body, login, at, None, repository)
        made.state, made.commit = state, self.repository(repository).threads[number].head
        return made

    def review_comment(
        self, number: int, body: str, *, path: str, line: int, login: str = "maria", at: datetime | None = None,
        reply_to: int | None = None, repository: str = "",
    ) -> Comment:  # fmt: skip
        """Write a comment on a line of a pull request's diff."""
        from tests.loopback_github.rest_reviews import hunk_at

        repo = self.repository(repository)
        thread = repo.threads[number]
        review = self.review(number, login=login, at=at, repository=repository)
        made = self._comment("review_comment", number, body, login, at, None, repository)
        base = git_store.merge_base(repo.git, thread.base, thread.head) or thread.base
        patches = {row["path"]: row["patch"] for row in git_store.changed_files(repo.git, base, thread.head)}
        made.path, made.line, made.hunk = path, line, hunk_at(patches.get(path, ""), line, "RIGHT")
        made.commit, made.review, made.reply_to = thread.head, review.id, reply_to
        return made

    def _comment(
        self,
        kind: str,
        number: int,
        body: str,
        login: str,
        at: datetime | None,
        edited: datetime | None,
        repository: str,
    ) -> Comment:
        repo, now = self.repository(repository), at or self.world.now()
        self.world.account(login)
        made = Comment(self.world.new_id(), kind, number, login, body, now, edited or now, edited)
        repo.comments[made.id] = made
        repo.threads[number].updated = max(repo.threads[number].updated, now)
        return made

    def edit_comment(self, comment: int, body: str, *, at: datetime | None = None, repository: str = "") -> None:
        """Edit a comment, as its author would."""
        found = self.repository(repository).comments[comment]
        found.body = body
        found.updated = found.edited = at or self.world.now()

    def label(
        self, number: int, label: str, *, login: str = "maria", at: datetime | None = None, repository: str = ""
    ) -> None:
        """Put a label on a thread."""
        repo = self.repository(repository)
        repo.labels.setdefault(label, {"id": self.world.new_id(), "color": "ededed", "description": None})
        if label not in repo.threads[number].labels:
            repo.threads[number].labels.append(label)
        self.world.account(login)
        self.world.record(repo, number, "labeled", login, label=label)
        repo.events[-1].created = at or repo.events[-1].created

    def close(self, number: int, *, login: str = "maria", merged: bool = False, repository: str = "") -> None:
        """Close a thread, as a person would; `merged` only marks it."""
        repo = self.repository(repository)
        thread, now = repo.threads[number], self.world.now()
        if thread.kind == "pull_request":
            refresh(self.world, repo, thread)
        thread.state, thread.closed, thread.closed_by, thread.updated = "closed", now, login, now
        thread.merged = now if merged else None
        self.world.account(login)
        self.world.record(repo, number, "closed", login)

    # ------------------------------------------------------------------ checks and runs

    def add_check_run(self, sha: str, name: str, conclusion: str | None = "success", *, repository: str = "") -> None:
        """Report a check of a commit; None is one that runs still."""
        row = {
            "id": self.world.new_id(),
            "sha": sha,
            "name": name,
            "conclusion": conclusion,
            "created": self.world.now(),
        }
        self.repository(repository).check_runs.append({**row, "status": "completed" if conclusion else "in_progress"})

    def add_status(
        self, sha: str, context: str, state: str = "success", *, login: str = "ci", repository: str = ""
    ) -> None:
        """Set a status of a commit."""
        row = {"id": self.world.new_id(), "sha": sha, "context": context, "state": state, "login": login}
        row |= {"description": None, "target_url": None, "created": self.world.now()}
        self.repository(repository).statuses.append(row)

    def add_run(
        self, *, status: str = "in_progress", login: str = "maria", event: str = "issue_comment", repository: str = ""
    ) -> int:
        """Start a run of a workflow; return its id."""
        repo, number = self.repository(repository), self.world.new_id()
        row = {"id": number, "name": "ay-bot", "status": status, "conclusion": None, "event": event, "login": login}
        row |= {
            "head_branch": repo.default_branch,
            "head_sha": "",
            "display_title": "ay-bot",
            "created": self.world.now(),
        }
        repo.runs[number] = row
        return number

    # ------------------------------------------------------------------ looking

    def threads(self, kind: str = "", *, repository: str = "") -> list[Thread]:
        """Return issues, pull requests or both, oldest first, with heads as they are now."""
        repo = self.repository(repository)
        for thread in repo.threads.values():
            if thread.kind == "pull_request":
                refresh(self.world, repo, thread)
        return [t for t in repo.threads.values() if kind in ("", t.kind)]

    def pulls(self, repository: str = "") -> list[Thread]:
        return self.threads("pull_request", repository=repository)

    def comments(self, number: int, kind: str = "comment", *, login: str = "", repository: str = "") -> list[Comment]:
        """Return a thread's comments of one kind, oldest first."""
        rows = self.repository(repository).comments.values()
        return [c for c in rows if c.number == number and c.kind == kind and login in ("", c.login)]

    # ------------------------------------------------------------------ payloads

    def payload_for_comment(
        self, comment: Comment | int, *, action: str = "created", sender: str = "", repository: str = ""
    ) -> dict[str, Any]:
        """Return the payload of issue_comment, pull_request_review_comment or pull_request_review."""
        repo = self.repository(repository)
        made = repo.comments[comment if isinstance(comment, int) else comment.id]
        return payloads.comment(self.world, self._api(), self._web(), repo, made, action, sender or made.login)

    def payload_for_thread(
        self, number: int, *, action: str = "opened", sender: str = "", repository: str = "", **more: Any
    ) -> dict[str, Any]:
        """Return the payload of issues or pull_request; `label="name"` and `assignee="login"` are rendered."""
        repo = self.repository(repository)
        thread = repo.threads[number]
        return payloads.thread(
            self.world, self._api(), self._web(), repo, thread, action, sender or thread.login, **more
        )

    def payload_for_repository(self, *, sender: str = "maria", repository: str = "", **more: Any) -> dict[str, Any]:
        """Return the payload of schedule, workflow_dispatch and repository_dispatch."""
        return payloads.bare(self.world, self._api(), self._web(), self.repository(repository), sender, **more)

    def _api(self) -> str:
        return str(getattr(self, "api_url", ""))

    def _web(self) -> str:
        return str(getattr(self, "url", ""))
