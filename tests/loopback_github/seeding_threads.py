"""How tests open issues and pull requests on the loopback GitHub, write on them, and look at them."""

from collections.abc import Sequence
from datetime import datetime

from tests.loopback_github import git_store, pushes
from tests.loopback_github.pulls import refresh
from tests.loopback_github.rest_reviews import hunk_at
from tests.loopback_github.seeding import AUTHOR, RepositorySeeding
from tests.loopback_github.world import Comment, Repository, Thread


class ThreadSeeding(RepositorySeeding):
    """Issues, pull requests, and what people write there. `at` is when; now if left out."""

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

    def edit_thread(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        at: datetime | None = None,
        repository: str = "",
    ) -> None:
        """Change a thread's title or text, as its author would."""
        thread, now = self.repository(repository).threads[number], at or self.world.now()
        thread.title = thread.title if title is None else title
        thread.body, thread.edited = (thread.body, thread.edited) if body is None else (body, now)
        thread.updated = now

    def merge(self, number: int, *, login: str = "maria", repository: str = "") -> str:
        """Merge a pull request with a merge commit; return that."""
        repo = self.repository(repository)
        thread = repo.threads[number]
        refresh(self.world, repo, thread)
        message = f"Merge pull request #{number} from {thread.head_branch}\n"
        sha = git_store.merge(repo.git, thread.base, thread.head, message, AUTHOR)
        git_store.set_ref(repo.git, f"refs/heads/{thread.base_branch}", sha)
        pushes.note(self.world, repo, login)
        self.close(number, login=login, merged=True, repository=repository)
        return sha

    def close(self, number: int, *, login: str = "maria", merged: bool = False, repository: str = "") -> None:
        """Close a thread, as a person would; `merged` only marks it, see `merge`."""
        repo = self.repository(repository)
        thread, now = repo.threads[number], self.world.now()
        if thread.kind == "pull_request":
            refresh(self.world, repo, thread)
        thread.state, thread.closed, thread.closed_by, thread.updated = "closed", now, login, now
        thread.merged = now if merged else None
        self.world.account(login)
        self.world.record(repo, number, "closed", login)

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
