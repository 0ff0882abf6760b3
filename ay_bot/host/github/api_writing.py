"""Everything that is changed on GitHub: the writing half of the Forge. Each call is one request, sent once."""

import base64
from collections.abc import Sequence
from typing import Final

from ay_bot.errors import AnswerLost, GithubFailed, NotAllowed
from ay_bot.host.github.api_answers import A, CommentAnswer, IssueAnswer, PullAnswer, parse_answer
from ay_bot.host.github.api_failures import Missing
from ay_bot.host.github.api_paths import segment, segments
from ay_bot.host.github.api_wire import Wire
from ay_bot.host.github.forge import (
    Comment,
    CommentKind,
    InlineComment,
    Issue,
    NewFile,
    Pull,
    Reaction,
    StatusState,
    ThreadKind,
)

MOST_DESCRIPTION: Final = 140
_COMMIT = """mutation CreateCommitOnBranch($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}"""


class Writing:
    """Changes one repository."""

    def __init__(self, repository: str, wire: Wire) -> None:
        self.repository = repository
        self.wire = wire
        self.base = f"/repos/{repository}"

    def react(self, kind: CommentKind | ThreadKind, target: int, reaction: Reaction) -> None:
        """React to a comment (by its id) or to a thread (by its number); the same reaction twice is one.

        GitHub's API knows no reactions to a review, so that does nothing: react to its thread.
        """
        if kind == "review":
            return
        places = {"comment": "issues/comments", "review_comment": "pulls/comments"}
        self.wire.write("POST", f"{self.base}/{places.get(kind, 'issues')}/{target:d}/reactions", {"content": reaction})

    def add_comment(self, number: int, body: str) -> Comment:
        """Write a comment on a thread."""
        made = self.wire.write("POST", f"{self.base}/issues/{number:d}/comments", {"body": body})
        return _made(CommentAnswer, made).value("comment")

    def edit_comment(self, comment: int, body: str) -> None:
        """Replace a comment's text."""
        self.wire.write("PATCH", f"{self.base}/issues/comments/{comment:d}", {"body": body})

    def reply_to_review_comment(self, number: int, comment: int, body: str) -> Comment:
        """Answer a line comment of a pull request."""
        made = self.wire.write("POST", f"{self.base}/pulls/{number:d}/comments/{comment:d}/replies", {"body": body})
        return _made(CommentAnswer, made).value("review_comment")

    def create_branch(self, name: str, sha: str) -> None:
        """Make a branch. Raises AlreadyThere."""
        self.wire.write("POST", f"{self.base}/git/refs", {"ref": f"refs/heads/{name}", "sha": sha})

    def delete_branch(self, name: str) -> None:
        """Remove a branch; none there is fine."""
        try:
            self.wire.write("DELETE", f"{self.base}/git/refs/heads/{segments(name)}")
        except GithubFailed as failure:
            if "Reference does not exist" not in failure.message:
                raise

    def commit_on_branch(
        self, branch: str, expected_head: str, message: str, additions: Sequence[NewFile], deletions: Sequence[str]
    ) -> str:
        """Make a commit that GitHub signs, and return it. Raises HeadMoved."""
        headline, _, rest = message.partition("\n")
        answer = self.wire.mutate(
            _COMMIT,
            input={
                "branch": {"repositoryNameWithOwner": self.repository, "branchName": branch},
                "expectedHeadOid": expected_head,
                "message": {"headline": headline, "body": rest.strip("\n")},
                "fileChanges": {
                    "additions": [
                        {"path": file.path, "contents": base64.b64encode(file.content).decode()} for file in additions
                    ],
                    "deletions": [{"path": path} for path in deletions],
                },
            },
        )
        match answer:
            case {"createCommitOnBranch": {"commit": {"oid": str(oid)}}}:
                return oid
            case _:
                hint = "look at the branch before trying again"
                raise AnswerLost("GitHub took a commit, but does not say which it made", hint=hint)

    def create_pull(self, *, title: str, body: str, head: str, base: str, draft: bool) -> Pull:
        """Open a pull request. Raises AlreadyThere."""
        asked = {"title": title, "body": body, "head": head, "base": base, "draft": draft}
        return _made(PullAnswer, self.wire.write("POST", f"{self.base}/pulls", asked)).value()

    def edit_pull(
        self, number: int, *, title: str | None = None, body: str | None = None, is_open: bool | None = None
    ) -> None:
        """Change title, body or state of a pull request."""
        self._edit(f"pulls/{number:d}", title, body, is_open)

    def create_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Open an issue."""
        asked = {"title": title, "body": body, "labels": list(labels)}
        return _made(IssueAnswer, self.wire.write("POST", f"{self.base}/issues", asked)).value()

    def edit_issue(self, number: int, *, body: str | None = None, is_open: bool | None = None) -> None:
        """Change body or state of an issue."""
        self._edit(f"issues/{number:d}", None, body, is_open)

    def _edit(self, place: str, title: str | None, body: str | None, is_open: bool | None) -> None:  # noqa: FBT001
        state = None if is_open is None else "open" if is_open else "closed"
        changes = {"title": title, "body": body, "state": state}
        asked = {name: value for name, value in changes.items() if value is not None}
        if asked:
            self.wire.write("PATCH", f"{self.base}/{place}", asked)

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Put labels on a thread."""
        if labels:
            self.wire.write("POST", f"{self.base}/issues/{number:d}/labels", {"labels": list(labels)})

    def remove_label(self, number: int, label: str) -> None:
        """Take a label off a thread; none there is fine."""
        try:
            self.wire.write("DELETE", f"{self.base}/issues/{number:d}/labels/{segment(label)}")
        except Missing:
            return

    def request_reviewers(self, number: int, reviewers: Sequence[str], teams: Sequence[str]) -> None:
        """Ask people and teams for a review."""
        asked = {"reviewers": list(reviewers), "team_reviewers": list(teams)}
        if reviewers or teams:
            self.wire.write("POST", f"{self.base}/pulls/{number:d}/requested_reviewers", asked)

    def add_assignees(self, number: int, assignees: Sequence[str]) -> None:
        """Assign people."""
        if assignees:
            self.wire.write("POST", f"{self.base}/issues/{number:d}/assignees", {"assignees": list(assignees)})

    def set_status(self, sha: str, *, state: StatusState, context: str, description: str, url: str) -> None:
        """Set a commit status; a longer description is cut."""
        asked = {"state": state, "context": context, "description": description[:MOST_DESCRIPTION]}
        self.wire.write("POST", f"{self.base}/statuses/{segment(sha)}", asked | ({"target_url": url} if url else {}))

    def create_review(self, number: int, *, commit: str, body: str, comments: Sequence[InlineComment]) -> Comment:
        """Write a review of the kind COMMENT with remarks on lines."""
        remarks = [{"path": one.path, "line": one.line, "side": "RIGHT", "body": one.body} for one in comments]
        asked = {"commit_id": commit, "event": "COMMENT", "body": body, "comments": remarks}
        made = self.wire.write("POST", f"{self.base}/pulls/{number:d}/reviews", asked)
        return _made(CommentAnswer, made).value("review")

    def cancel_workflow_run(self, run: int) -> bool:
        """Cancel a run of GitHub Actions; False where that is not allowed or it has ended."""
        try:
            self.wire.write("POST", f"{self.base}/actions/runs/{run:d}/cancel")
        except AnswerLost:
            raise
        except GithubFailed as failure:
            if isinstance(failure, NotAllowed | Missing) or "Cannot cancel" in failure.message:
                return False
            raise
        return True


def _made(model: type[A], answer: object) -> A:
    """Read what was made. An answer that can't be read is as good as lost: the thing is there."""
    try:
        return parse_answer(model, answer)
    except AnswerLost:
        raise
    except GithubFailed as failure:
        raise AnswerLost(failure.message, hint="look whether it took effect before trying again") from None
