"""The Forge over PyGithub: the only module that knows that library and how its errors and habits are tamed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from ay_bot.errors import GithubFailed, UsageError
from ay_bot.host.github.api_comments import Comments
from ay_bot.host.github.api_paths import check_address
from ay_bot.host.github.api_reading import Reading
from ay_bot.host.github.api_request import Asked, Pace, Reply, Send, Unanswered, Unsent
from ay_bot.host.github.api_wire import Wire
from ay_bot.host.github.api_writing import Writing
from ay_bot.host.github.app_token import BoughtToken, GivenToken, Tokens
from ay_bot.host.github.credentials import App, Credentials, Token, check_token
from ay_bot.host.github.forge import Comment, Issue, Pull
from ay_bot.host.permissions import Standing
from ay_bot.host.redact.outgoing import redacting

if TYPE_CHECKING:
    from github.Auth import Auth
    from requests import RequestException

    from ay_bot.host.redact.redactor import Redactor

API_VERSION = "2022-11-28"
ACCEPT = "application/vnd.github+json"


def open_forge(
    repository: str, credentials: Credentials, *, api_url: str, graphql_url: str = "", pace: Pace | None = None
) -> GithubForge:
    """Return GitHub for one repository, as a Forge; nothing is asked yet. It is a context manager too."""
    check_address(api_url)
    if isinstance(credentials, Token):
        check_token(credentials)
    if graphql_url and urlsplit(graphql_url)[:2] != urlsplit(api_url)[:2]:
        msg = f"the address for GraphQL, {graphql_url}, is on another server than {api_url}"
        raise UsageError(msg, hint="set GITHUB_GRAPHQL_URL and GITHUB_API_URL as GitHub does")
    return GithubForge(repository, credentials, api_url, graphql_url, pace or Pace())


class GithubForge(Reading, Writing):
    """GitHub, for one repository. Not for several threads at once."""

    def __init__(self, repository: str, credentials: Credentials, api_url: str, graphql_url: str, pace: Pace) -> None:
        self.requests = 0
        self.scopes: str | None = None
        """What GitHub says that a person's classic token may do; None for all others."""
        self._place = (api_url.rstrip("/"), graphql_url, pace)
        self._lines: dict[Token, _Line] = {}
        self._redactors: dict[Token, Redactor] = {}
        self._app_line: _Line | None = None
        self._tokens: Tokens
        if isinstance(credentials, App):
            self._app_line = _Line(_app_auth(credentials), *self._place)
            self._tokens = BoughtToken(credentials, repository, Wire(self._counted(self._app_line), pace))
        else:
            self._tokens = GivenToken(credentials)
        Reading.__init__(self, repository, Wire(self._send, pace))
        self._comments = Comments(self)

    def token(self) -> Token:
        """Return a token for git, good for the next ten minutes."""
        return self._tokens.current()

    @property
    def cut(self) -> Sequence[str]:
        """Return what was too long to be read to its end."""
        return tuple(self.wire.cut)

    def close(self) -> None:
        """Close the connections."""
        for line in (*self._lines.values(), self._app_line):
            if line is not None:
                line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def standing(self, login: str) -> Standing | None:
        """Return permission, role and (for an App) whether it is installed; None where GitHub doesn't say."""
        found = super().standing(login)
        if found is not None or not login.endswith("[bot]"):
            return found
        try:
            return self._tokens.installed(login)
        except GithubFailed:
            return None

    def issue(self, number: int) -> Issue:
        """Return a thread."""
        found = super().issue(number)
        self._comments.learn_kind(number, found.kind)
        return found

    def pull(self, number: int) -> Pull:
        """Return a pull request."""
        found = super().pull(number)
        self._comments.learn_kind(number, "pull_request")
        return found

    def comments(self, number: int) -> Sequence[Comment]:
        """Return a thread's comments, oldest first; on a pull request its reviews and line comments too."""
        return self._comments.read(number)

    def _send(self, asked: Asked) -> Reply:
        token = self._tokens.current()
        if token not in self._lines:
            from github import Auth

            from ay_bot.host.redact.redactor import Redactor

            secret = token.secret.get_secret_value()
            self._lines[token] = _Line(Auth.Token(secret), *self._place)
            self._redactors[token] = Redactor((secret,))
        return redacting(self._counted(self._lines[token]), self._redactors[token])(asked)

    def _counted(self, send: Send) -> Send:
        def counted(asked: Asked) -> Reply:
            self.requests += 1
            reply = send(asked)
            self.scopes = reply.headers.get("x-oauth-scopes", self.scopes)
            return reply

        return counted


class _Line:
    """PyGithub's requester for one set of credentials, which sends what it is told once and in peace."""

    def __init__(self, auth: Auth, api_url: str, graphql_url: str, pace: Pace) -> None:
        from github import Github

        # Whatever of this is left at its default sends again, sleeps or asks for more than was asked.
        client = Github(
            auth=auth,
            base_url=api_url,
            retry=None,
            lazy=True,
            timeout=pace.timeout,
            seconds_between_requests=0,
            seconds_between_writes=0,
            user_agent="ay-bot",
            api_version=API_VERSION,
        )
        self._requester = client.requester
        _silence()
        self._graphql_url = graphql_url or self._requester.graphql_url
        self._idle = pace.idle
        self._last = time.monotonic()

    def close(self) -> None:
        """Close the connection."""
        self._requester.close()

    def __call__(self, asked: Asked) -> Reply:
        """Send once."""
        from requests import RequestException

        if not asked.again and time.monotonic() - self._last > self._idle:
            self._requester.close()  # the other side may have closed it, and a lost write is dear
        url = self._graphql_url if asked.path == "/graphql" else asked.path
        try:
            status, headers, text = self._requester.requestJson(
                asked.verb, url, dict(asked.parameters), {"Accept": ACCEPT}, asked.body
            )
        except RequestException as error:
            raise _as_ours(error) from error
        except (AssertionError, RuntimeError) as error:  # what PyGithub makes of addresses that it doesn't like
            msg = f"GitHub sends {asked.name} elsewhere: {error}"
            raise GithubFailed(msg, hint="a renamed repository answers so: use its present name") from error
        finally:
            self._last = time.monotonic()
        return Reply(status, headers, text)


class _Redirected(RuntimeError):
    """PyGithub is about to follow a redirect."""


def _silence() -> None:
    """Keep PyGithub from logging replies, which can hold a token, and from following redirects.

    It has no switch for the latter, forgets the query on its way and sends a write again; but it says so first.
    """
    logger = logging.getLogger("github.Requester")
    logger.setLevel(logging.INFO)
    if _refuse_redirects not in logger.filters:
        logger.addFilter(_refuse_redirects)


def _refuse_redirects(record: logging.LogRecord) -> bool:
    if record.getMessage().startswith("Following Github server redirection"):
        raise _Redirected("it has a new address")
    return False


def _as_ours(error: RequestException) -> Unsent | Unanswered:
    """Tell apart what surely did not get out from what may have."""
    from requests.exceptions import ConnectTimeout, ProxyError, SSLError
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    text = f"{type(error).__name__}: {reason or error}"
    if isinstance(error, ConnectTimeout | ProxyError) or isinstance(reason, ConnectTimeoutError | NewConnectionError):
        return Unsent(text)
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in text:
        return Unsent(text)
    return Unanswered(text)


def _app_auth(app: App) -> Auth:
    from cryptography.exceptions import UnsupportedAlgorithm
    from github import Auth
    from jwt.exceptions import PyJWTError

    try:
        auth = Auth.AppAuth(app.app_id, app.private_key.get_secret_value())
        auth.create_jwt()
    except (PyJWTError, UnsupportedAlgorithm, AssertionError, ValueError, TypeError):
        msg = "the App's private key can't be used"
        raise UsageError(msg, hint="give the whole PEM file that GitHub made for the App, line ends included") from None
    return auth
