"""The token in use: one that was given, or one that an App's key buys and renews."""

import time
from datetime import datetime
from typing import Protocol

from pydantic import Field, SecretStr

from ay_bot.host.github.api_answers import Answer, parse_answer
from ay_bot.host.github.api_wire import Wire
from ay_bot.host.github.credentials import App, Token
from ay_bot.host.permissions import Standing

FRESH = 600.0
"""A token with fewer seconds left is renewed: git may use it for as long as that."""


class Tokens(Protocol):
    """Where tokens come from."""

    def current(self) -> Token:
        """Return a token that is good for the next ten minutes."""
        ...

    def installed(self, login: str) -> Standing | None:
        """Return the standing of an App by its login, if it is the one that we speak as."""
        ...


class GivenToken:
    """A token that somebody else takes care of."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def current(self) -> Token:
        """Return it."""
        return self._token

    def installed(self, login: str) -> Standing | None:  # noqa: ARG002 - the Protocol's
        """Return None: only an App's own key may ask."""
        return None


class InstallationAnswer(Answer):
    """An App's installation."""

    id: int
    app_slug: str = ""
    permissions: dict[str, str] = Field(default_factory=dict)


class BoughtAnswer(Answer):
    """A token of an installation."""

    token: SecretStr
    expires_at: datetime


class BoughtToken:
    """Tokens for one repository, with no more than the App was told to ask for. `wire` speaks as the App itself."""

    def __init__(self, app: App, repository: str, wire: Wire) -> None:
        self._app = app
        self._repository = repository
        self._wire = wire
        self._bought: BoughtAnswer | None = None
        self._found: InstallationAnswer | None = None

    def current(self) -> Token:
        """Return a token, bought anew where the last one is about to end."""
        if self._bought is None or self._bought.expires_at.timestamp() - time.time() < FRESH:
            self._bought = self._buy()
        return Token(secret=self._bought.token)

    def installed(self, login: str) -> Standing | None:
        """Return what our own App may do here; None for every other."""
        found = self._installation()
        if login.lower() != f"{found.app_slug}[bot]".lower():
            return None
        level = found.permissions.get("contents", "read")
        return Standing(level, level)

    def _buy(self) -> BoughtAnswer:
        installation = self._app.installation or self._installation().id
        asked = {"repositories": [self._repository.partition("/")[2]], "permissions": self._app.permissions}
        made = self._wire.buy(f"/app/installations/{installation:d}/access_tokens", asked)
        return parse_answer(BoughtAnswer, made)

    def _installation(self) -> InstallationAnswer:
        if self._found is None:
            found = self._wire.get(f"/repos/{self._repository}/installation")
            self._found = parse_answer(InstallationAnswer, found)
        return self._found
