"""How a run reaches GitHub: which credentials write, which of them start CI, and what else git needs."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.api_request import Pace as RequestPace
from ay_bot.host.github.credentials import LEAST, READ_ONLY, App, Credentials, Token
from ay_bot.host.github.git_transport import Remote
from ay_bot.host.github.pacing import Pace as EditPace
from ay_bot.host.github.runner_context import RunnerContext


class Rhythm(NamedTuple):
    """How hard GitHub is asked, and how often a tracking comment is edited."""

    requests: RequestPace = RequestPace()
    edits: EditPace = EditPace()


@dataclass
class Connection:
    """GitHub for one run. Each forge is made when it is first asked for, and none of them is shared by threads."""

    context: RunnerContext
    surroundings: Mapping[str, str]
    rhythm: Rhythm = field(default_factory=Rhythm)
    _opened: dict[str, GithubForge] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self._stack.close()

    @property
    def requests(self) -> int:
        """Return how many requests were sent so far."""
        return sum(forge.requests for forge in self._opened.values())

    @property
    def may_write(self) -> bool:
        """Whether this job may change anything on GitHub; the one with the model in the hardened form may not."""
        return self.context.inputs.mode != "work"

    @property
    def starts_ci(self) -> bool:
        """Whether GitHub starts workflows for what we push: it does not for the workflow's own token."""
        return bool(self.context.inputs.ci_token.get_secret_value() or self.context.inputs.app_id)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not be in anything that is published."""
        inputs = self.context.inputs
        given = [inputs.github_token, inputs.ci_token, inputs.app_private_key]
        given += [self.forge().token().secret] if inputs.app_id else []
        return tuple(secret.get_secret_value() for secret in given if secret.get_secret_value())

    def forge(self) -> GithubForge:
        """Return GitHub for reading, comments and reactions."""
        return self._open("main", self._credentials)

    def progress(self) -> GithubForge:
        """Return GitHub for the thread that shows progress."""
        return self._open("progress", self._credentials)

    def publishing(self) -> GithubForge:
        """Return GitHub for branches, commits and pull requests."""
        token = self.context.inputs.ci_token
        return self._open("publishing", lambda: Token(secret=token)) if token.get_secret_value() else self.forge()

    def remote(self, clone_url: str) -> Remote:
        """Return the repository for git, with the credentials that publish."""
        return Remote(clone_url, self.publishing().token, self.surroundings)

    def _credentials(self) -> Credentials:
        inputs = self.context.inputs
        if inputs.app_id:
            rights = LEAST if self.may_write else READ_ONLY
            return App(app_id=inputs.app_id, private_key=inputs.app_private_key, permissions=rights)
        return Token(secret=inputs.github_token)

    def _open(self, name: str, credentials: Callable[[], Credentials]) -> GithubForge:
        if name not in self._opened:
            forge = open_forge(
                self.context.repository,
                credentials(),
                api_url=self.context.api_url,
                graphql_url=self.context.graphql_url,
                pace=self.rhythm.requests,
            )
            self._opened[name] = self._stack.enter_context(forge)
        return self._opened[name]
