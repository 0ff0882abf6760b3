"""Everything that is read from GitHub but comments: the reading half of the Forge."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from ay_bot.errors import GithubFailed
from ay_bot.host.github import api_answers as answers
from ay_bot.host.github import api_git_answers as git
from ay_bot.host.github.api_answers import parse_answer
from ay_bot.host.github.api_failures import Missing
from ay_bot.host.github.api_paths import check_repository, segment, segments
from ay_bot.host.github.api_pushes import PushAnswer, head_before
from ay_bot.host.github.api_wire import Wire
from ay_bot.host.github.forge import CheckRun, Commit, Issue, Pull, RepositoryFacts
from ay_bot.host.permissions import Standing

_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
_STRONG = frozenset({"write", "maintain", "admin"})
_VIEWER = "query Viewer { viewer { login } }"


class Reading:
    """Asks about one repository. One call is one request, unless its docstring says otherwise."""

    def __init__(self, repository: str, wire: Wire) -> None:
        check_repository(repository)
        self.repository = repository
        self.wire = wire
        self.base = f"/repos/{repository}"
        self._own_login = ""

    def own_login(self) -> str:
        """Return the login that our comments and pull requests carry; asked once."""
        if not self._own_login:
            viewer = self.wire.query(_VIEWER).get("viewer")
            self._own_login = parse_answer(answers.AccountAnswer, viewer).login
        return self._own_login

    def facts(self) -> RepositoryFacts:
        """Return the repository's facts."""
        found = parse_answer(answers.RepositoryAnswer, self.wire.get(self.base))
        return RepositoryFacts(
            full_name=found.full_name,
            default_branch=found.default_branch,
            private=found.private,
            html_url=found.html_url,
            clone_url=found.clone_url,
            can_push=found.permissions.push,
        )

    def standing(self, login: str) -> Standing | None:
        """Return permission and role; None where GitHub doesn't say, as with most Apps: see `standing_of`."""
        if not _LOGIN.fullmatch(login):
            return None
        try:
            found = self.wire.get(f"{self.base}/collaborators/{segment(login)}/permission")
        except Missing:
            return None if login.endswith("[bot]") else Standing("none", "none")
        except GithubFailed:
            return None
        return standing_of(login, parse_answer(answers.PermissionAnswer, found))

    def issue(self, number: int) -> Issue:
        """Return a thread."""
        return parse_answer(answers.IssueAnswer, self.wire.get(f"{self.base}/issues/{number:d}")).value()

    def issues(self, *, creator: str = "", label: str = "", state: str = "open") -> Sequence[Issue]:
        """Return issues and pull requests' threads, newest first; one request for each hundred, ten at most."""
        wanted = {"creator": creator, "labels": label, "state": state, "sort": "created", "direction": "desc"}
        found = self.wire.pages(f"{self.base}/issues", {name: value for name, value in wanted.items() if value})
        values = [parse_answer(answers.IssueAnswer, issue).value() for issue in found]
        return [
            issue
            for issue in values
            if (not creator or issue.author.login.lower() == creator.lower())
            and (not label or label.lower() in {name.lower() for name in issue.labels})
        ]

    def pull(self, number: int) -> Pull:
        """Return a pull request."""
        return parse_answer(answers.PullAnswer, self.wire.get(f"{self.base}/pulls/{number:d}")).value()

    def pulls(self, *, head: str = "", state: Literal["open", "closed", "all"] = "all") -> Sequence[Pull]:
        """Return pull requests, newest first; `head` is a branch of this repository."""
        wanted: dict[str, str] = {"state": state, "sort": "created", "direction": "desc"}
        if head:
            wanted["head"] = f"{self.repository.partition('/')[0]}:{head}"
        found = self.wire.pages(f"{self.base}/pulls", wanted)
        values = [parse_answer(answers.PullAnswer, pull).value() for pull in found]
        return [pull for pull in values if not head or self._comes_from(pull, head)]

    def _comes_from(self, pull: Pull, branch: str) -> bool:
        # The owner may have a fork under another name, and GitHub filters by owner and branch only.
        ours = pull.head_repository is None or pull.head_repository.lower() == self.repository.lower()
        return ours and pull.head_branch == branch

    def labelled_at(self, number: int, label: str) -> datetime | None:
        """Return when the label was last put on the thread."""
        found = self.wire.pages(f"{self.base}/issues/{number:d}/events")
        events = [parse_answer(answers.EventAnswer, event) for event in found]
        moments = [
            event.created_at
            for event in events
            if event.event == "labeled"
            and event.label
            and event.label.name.lower() == label.lower()
            and event.created_at
        ]
        return max(moments, default=None)

    def head_at(self, pull: Pull, moment: datetime) -> str | None:
        """Return what a pull request's head was just before a moment; None where the newest 100 pushes don't say."""
        if pull.head_repository is None:
            return None
        check_repository(pull.head_repository)
        place = f"/repos/{pull.head_repository}/activity"
        try:
            found = self.wire.get(place, ref=f"refs/heads/{pull.head_branch}", per_page="100")
        except GithubFailed:
            return None  # a fork that the token may not ask about, or a server that keeps no record
        pushes = [parse_answer(PushAnswer, push) for push in found] if isinstance(found, list) else []
        return head_before(pushes, pull.head, moment)

    def branch(self, name: str) -> str | None:
        """Return the commit that a branch points at, None where there is no such branch."""
        try:
            found = self.wire.get(f"{self.base}/git/ref/heads/{segments(name)}")
        except Missing:
            return None
        reference = parse_answer(git.ReferenceAnswer, found)
        return reference.object.sha if reference.ref == f"refs/heads/{name}" else None

    def commit(self, sha: str) -> Commit:
        """Return a commit."""
        return parse_answer(git.CommitAnswer, self.wire.get(f"{self.base}/commits/{segment(sha)}")).value()

    def commits(self, base: str, head: str) -> Sequence[Commit]:
        """Return the commits that `head` has and `base` has not, oldest first, 250 at most."""
        compared = self.wire.get(f"{self.base}/compare/{segments(base)}...{segments(head)}")
        found = compared.get("commits") if isinstance(compared, dict) else None
        if not isinstance(found, list):
            raise GithubFailed("GitHub's answer about a comparison makes no sense: it names no commits")
        return [parse_answer(git.CommitAnswer, commit).value() for commit in found]

    def file(self, path: str, ref: str) -> bytes | None:
        """Return a file's content at a commit, None where there is none; two requests above a megabyte."""
        try:
            found = self.wire.get(f"{self.base}/contents/{segments(path)}", ref=ref)
        except Missing:
            return None
        if isinstance(found, list):
            return None  # a directory
        content = parse_answer(git.ContentAnswer, found)
        if content.type != "file":
            return None
        if content.encoding != "base64":
            blob = self.wire.get(f"{self.base}/git/blobs/{segment(content.sha)}")
            content = parse_answer(git.ContentAnswer, blob)
        return _decoded(content.content)

    def checks(self, sha: str) -> Sequence[CheckRun]:
        """Return the checks and statuses of a commit, with two requests."""
        place = f"{self.base}/commits/{segment(sha)}"
        runs = self.wire.pages(f"{place}/check-runs", within="check_runs")
        statuses = self.wire.pages(f"{place}/status", within="statuses")
        return [
            *(parse_answer(git.CheckRunAnswer, run).value() for run in runs),
            *(parse_answer(git.StatusAnswer, status).value() for status in statuses),
        ]


def standing_of(login: str, found: answers.PermissionAnswer) -> Standing | None:
    """Judge what GitHub says of an account.

    An App is no collaborator: GitHub answers 404, `none` or what everybody has for one that is installed as for one
    that is not, and no token but the App's own may ask more. Only a right to write can't come from elsewhere. So an
    App without one is of unknown standing, and is refused.
    """
    role = found.role_name or found.permission
    if login.endswith("[bot]"):
        return Standing(found.permission, role) if found.permission in _STRONG else None
    return Standing(found.permission, role)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise GithubFailed("GitHub's answer about a file makes no sense: its content is not base64") from None
