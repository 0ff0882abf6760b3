"""How tests put checks and runs on the loopback GitHub, and get the payloads of what is there."""

from typing import Any

from tests.loopback_github import payloads
from tests.loopback_github.seeding import RepositorySeeding
from tests.loopback_github.world import Comment


class CheckSeeding(RepositorySeeding):
    """What runs on commits."""

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


class PayloadSeeding(RepositorySeeding):
    """What GitHub would send about things that are there. `links` are the addresses of API and pages."""

    @property
    def links(self) -> tuple[str, str]:
        raise NotImplementedError

    def payload_for_comment(
        self, comment: Comment | int, *, action: str = "created", sender: str = "", repository: str = ""
    ) -> dict[str, Any]:
        """Return the payload of issue_comment, pull_request_review_comment or pull_request_review."""
        repo = self.repository(repository)
        made = repo.comments[comment if isinstance(comment, int) else comment.id]
        return payloads.comment(self.world, *self.links, repo, made, action, sender or made.login)

    def payload_for_thread(
        self, number: int, *, action: str = "opened", sender: str = "", repository: str = "", **more: Any
    ) -> dict[str, Any]:
        """Return the payload of issues or pull_request; `label="name"` and `assignee="login"` are rendered."""
        repo = self.repository(repository)
        thread = repo.threads[number]
        return payloads.thread(self.world, *self.links, repo, thread, action, sender or thread.login, **more)

    def payload_for_repository(self, *, sender: str = "maria", repository: str = "", **more: Any) -> dict[str, Any]:
        """Return the payload of schedule, workflow_dispatch and repository_dispatch."""
        return payloads.bare(self.world, *self.links, self.repository(repository), sender, **more)
