"""What GraphQL's queries read: accounts, repositories, threads and comments as its schema names them."""

from typing import Any

from tests.loopback_github import git_store, render
from tests.loopback_github.routing import Call
from tests.loopback_github.world import Comment, Repository, Thread


def connection(rows: list[dict[str, Any]]) -> Any:
    """Return a field with `first`, `last`, `after` and `before`; cursors are places in the list."""

    def pick(
        info: Any,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        start, end = int(after) if after else 0, int(before) if before else len(rows)
        start, end = (start, min(end, start + first)) if first else (max(start, end - last) if last else start, end)
        page = {
            "hasNextPage": end < len(rows),
            "hasPreviousPage": start > 0,
            "endCursor": str(end),
            "startCursor": str(start),
        }
        return {"totalCount": len(rows), "nodes": rows[start:end], "pageInfo": page}

    return pick


class Failed(Exception):
    """An error in a 200, with GitHub's type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Objects:
    """Builds objects for one call."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def actor(self, login: str) -> dict[str, Any]:
        shown = render.user(self.call, login)
        # GraphQL leaves the suffix off the login of an App, but for `viewer`.
        name = login if login == self.call.login else login.removesuffix("[bot]")
        kind = shown["type"] if shown["type"] in ("User", "Bot", "Organization") else "User"
        urls = {
            "url": shown["html_url"],
            "avatarUrl": lambda info, size=None: shown["avatar_url"],
            "resourcePath": f"/{name}",
        }
        return {
            "__typename": kind,
            "login": name,
            "id": shown["node_id"],
            "databaseId": shown["id"],
            "name": None,
            **urls,
        }

    def author(self, login: str) -> dict[str, Any] | None:
        return {**self.actor(login), "login": login.removesuffix("[bot]")} if login else None

    def repository_object(self, repo: Repository) -> dict[str, Any]:
        threads = repo.threads

        def of_kind(*kinds: str) -> Any:
            return lambda info, number: (
                self.thread_object(repo, threads[number])
                if number in threads and threads[number].kind in kinds
                else None
            )

        shown = render.repository(self.call, repo)
        return {
            "__typename": "Repository", "id": shown["node_id"], "databaseId": repo.id, "name": repo.name,
            "nameWithOwner": repo.full_name, "isPrivate": repo.private, "url": shown["html_url"], "owner": self.author(repo.owner),
            "issue": of_kind("issue"), "pullRequest": of_kind("pull_request"),
            "issueOrPullRequest": of_kind("issue", "pull_request"),
            "defaultBranchRef": lambda info: self.ref_object(repo, repo.default_branch),
            "ref": lambda info, **name: self.ref_object(repo, name["qualifiedName"].removeprefix("refs/heads/")),
            "object": lambda info, oid=None, expression=None: self.commit_object(repo, git_store.resolve(repo.git, oid or expression)),
        }  # fmt: skip

    def ref_object(self, repo: Repository, branch: str) -> dict[str, Any] | None:
        sha = git_store.branch_head(repo.git, branch)
        if sha is None:
            return None
        names = {"name": branch, "prefix": "refs/heads/", "id": f"REF_{repo.id}_{branch}"}
        return {"__typename": "Ref", **names, "target": self.commit_object(repo, sha)}

    def commit_object(self, repo: Repository, sha: str | None) -> dict[str, Any] | None:
        if sha is None:
            return None
        row = git_store.commits(repo.git, "-1", sha)[0]
        headline, _, body = row["message"].strip().partition("\n\n")
        url = f"{self.call.web}/{repo.full_name}/commit/{sha}"
        ids = {"id": f"C_{repo.id}_{sha}", "oid": sha, "abbreviatedOid": sha[:7], "url": url, "commitUrl": url}
        said = {"message": row["message"].strip(), "messageHeadline": headline, "messageBody": body}
        return {"__typename": "Commit", **ids, **said, "committedDate": row["date"], "authoredDate": row["author_date"]}

    def thread_object(self, repo: Repository, thread: Thread) -> dict[str, Any]:
        mine = sorted((c for c in repo.comments.values() if c.number == thread.number), key=lambda c: c.id)

        def rows(kind: str) -> list[dict[str, Any]]:
            return [self.comment_object(repo, c) for c in mine if c.kind == kind]

        kind = "PullRequest" if thread.kind == "pull_request" else "Issue"
        shown = render.issue(self.call, repo, thread)
        threads = [
            {"id": f"PRRT_{c['databaseId']}", "isResolved": False, "comments": connection([c])}
            for c in rows("review_comment")
        ]
        state = "MERGED" if thread.merged else thread.state.upper()
        return self._shared(repo, thread) | {
            "__typename": kind, "id": shown["node_id"], "databaseId": thread.id, "fullDatabaseId": str(thread.id),
            "number": thread.number, "title": thread.title, "url": shown["html_url"], "state": state, "isDraft": thread.draft,
            "comments": connection(rows("comment")), "reviews": connection(rows("review")), "reviewThreads": connection(threads),
            "headRefOid": thread.head, "baseRefOid": thread.base, "headRefName": thread.head_branch,
            "baseRefName": thread.base_branch, "labels": connection([{"name": name} for name in thread.labels]),
        }  # fmt: skip

    def _shared(self, repo: Repository, written: Thread | Comment) -> dict[str, Any]:
        return {
            "author": self.author(written.login), "body": written.body or "", "createdAt": render.moment(written.created),
            "updatedAt": render.moment(written.updated), "lastEditedAt": render.moment(written.edited),
            "publishedAt": render.moment(written.created), "includesCreatedEdit": written.edited is not None,
            "authorAssociation": render.association(self.call, repo, written.login), "repository": {"nameWithOwner": repo.full_name},
        }  # fmt: skip

    def comment_object(self, repo: Repository, comment: Comment) -> dict[str, Any]:
        kind, prefix, show = {
            "comment": ("IssueComment", "IC", "issuecomment-"),
            "review": ("PullRequestReview", "PRR", "pullrequestreview-"),
            "review_comment": ("PullRequestReviewComment", "PRRC", "discussion_r"),
        }[comment.kind]
        page = "pull" if repo.threads[comment.number].kind == "pull_request" else "issues"
        url = f"{self.call.web}/{repo.full_name}/{page}/{comment.number}#{show}{comment.id}"
        ids = {
            "id": render.node_id(prefix, comment.id),
            "databaseId": comment.id,
            "fullDatabaseId": str(comment.id),
            "url": url,
        }
        of_review = [c for c in repo.comments.values() if c.kind == "review_comment" and c.review == comment.id]
        inner = connection([self.comment_object(repo, c) for c in of_review] if comment.kind == "review" else [])
        commit = self.commit_object(repo, comment.commit) if comment.commit else None
        place = {"path": comment.path, "line": comment.line, "originalLine": comment.line, "diffHunk": comment.hunk}
        shared = self._shared(repo, comment) | {
            "__typename": kind,
            "state": comment.state,
            "comments": inner,
            "commit": commit,
        }
        return {
            **shared,
            **ids,
            **place,
            "originalCommit": commit,
            "submittedAt": render.moment(comment.created),
            "isMinimized": False,
        }

    def find_node(self, name: str) -> tuple[Repository, Thread | Comment]:
        """Return what a global id names, and its repository. Raises Failed."""
        number = name.rpartition("_loopback")[2]
        for repo in self.call.world.repositories.values():
            written = [*repo.comments.values(), *repo.threads.values()] if self.call.sees(repo) else []
            for found in written:
                if number == str(found.id):
                    return repo, found
        raise Failed("NOT_FOUND", f"Could not resolve to a node with the global id of '{name}'.")

    def node_object(self, name: str) -> dict[str, Any]:
        repo, found = self.find_node(name)
        return self.thread_object(repo, found) if isinstance(found, Thread) else self.comment_object(repo, found)
