"""GitHub's answers about branches, commits, their checks and their files, as values."""

from ay_bot.host.github.api_answers import GHOST, AccountAnswer, Answer
from ay_bot.host.github.forge import CheckRun, Commit


class ObjectAnswer(Answer):
    """A git object, by its id."""

    sha: str


class ReferenceAnswer(Answer):
    """A branch as git knows it."""

    ref: str
    object: ObjectAnswer


class VerificationAnswer(Answer):
    """Whether GitHub believes a signature."""

    verified: bool = False


class InnerCommitAnswer(Answer):
    """What git knows of a commit."""

    message: str
    tree: ObjectAnswer
    verification: VerificationAnswer | None = None


class CommitAnswer(Answer):
    """A commit, with the accounts that GitHub sees behind its addresses."""

    sha: str
    commit: InnerCommitAnswer
    author: AccountAnswer | None = None
    committer: AccountAnswer | None = None
    parents: tuple[ObjectAnswer, ...] = ()

    def value(self) -> Commit:
        """Return it as our callers know it."""
        return Commit(
            sha=self.sha,
            tree=self.commit.tree.sha,
            message=self.commit.message,
            author=_known(self.author),
            committer=_known(self.committer),
            verified=self.commit.verification is not None and self.commit.verification.verified,
            parents=tuple(parent.sha for parent in self.parents),
        )


class CheckRunAnswer(Answer):
    """A check of an App, GitHub Actions among them."""

    name: str
    status: str
    conclusion: str | None = None
    html_url: str | None = None

    def value(self) -> CheckRun:
        """Return it as our callers know it."""
        outcome = self.conclusion or "unknown" if self.status == "completed" else "pending"
        return CheckRun(name=self.name, outcome=outcome, url=self.html_url or "")


class StatusAnswer(Answer):
    """A commit status."""

    context: str
    state: str
    target_url: str | None = None

    def value(self) -> CheckRun:
        """Return it as our callers know it."""
        return CheckRun(name=self.context, outcome=self.state, url=self.target_url or "")


class ContentAnswer(Answer):
    """A file; one above a megabyte has no content here."""

    type: str = "file"
    sha: str = ""
    encoding: str = ""
    content: str = ""


def _known(account: AccountAnswer | None) -> str | None:
    return None if account is None or account.login == GHOST else account.login
