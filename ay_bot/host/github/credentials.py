"""What the bot shows GitHub to be let in: a token, or an App's key. Neither is ever in a log or a message."""

from typing import Literal

from pydantic import SecretStr

from ay_bot.errors import UsageError
from ay_bot.protocol.conversation import Value

Level = Literal["read", "write"]

LEAST: dict[str, Level] = {
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "statuses": "write",
    "checks": "read",
    "metadata": "read",
}
"""What a whole run needs; see docs/github-api.md, section Permissions."""
READ_ONLY: dict[str, Level] = dict.fromkeys(LEAST, "read")


class Token(Value):
    """A token as GitHub gave it: of a workflow, of a person, or of an App's installation."""

    secret: SecretStr

    @classmethod
    def of(cls, text: str) -> "Token":
        """Return the token that a text is, without the white space around it. Raises UsageError."""
        token = cls(secret=SecretStr(text.strip()))
        check_token(token)
        return token


class App(Value):
    """A GitHub App. Its key buys tokens for one repository, with no more than `permissions`."""

    app_id: str
    private_key: SecretStr
    installation: int | None = None
    """Of the repository's owner; GitHub is asked where it is not given."""
    permissions: dict[str, Level] = LEAST


Credentials = Token | App


def check_token(token: Token) -> None:
    """Raise UsageError for a text that can't be a token, before it goes into a header."""
    text = token.secret.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        hint = "set the Action's input `github-token`, or GITHUB_TOKEN; a secret that is not set is empty"
        raise UsageError("the token for GitHub is empty or not a token", hint=hint)
