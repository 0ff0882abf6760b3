"""Canaries: fake keys in the environment of a box's commands, which nobody has a reason to carry out of it."""

import secrets
import string
from collections.abc import Iterable, Mapping
from typing import Final

from ay_bot.host.redact.redactor import Kind, Redactor
from ay_bot.protocol.conversation import Value

_LETTERS: Final = string.ascii_letters + string.digits
NAMES: Final = ("AY_BOT_PUBLISHING_TOKEN", "AY_BOT_MODEL_KEY")
"""Names that no test suite asks for: a real one, such as GITHUB_TOKEN, would switch on tests that need a network."""


class Canaries(Value):
    """One run's fake keys, by the name of the variable that holds them."""

    environment: Mapping[str, str]

    @property
    def values(self) -> tuple[str, ...]:
        """The fake keys."""
        return tuple(self.environment.values())


def plant() -> Canaries:
    """Return new fake keys: one in the shape of a GitHub token, one in that of a model key."""
    token, key = NAMES
    return Canaries(environment={token: f"ghp_{_random(36)}", key: f"sk-proj-{_random(64)}"})


def channel_of(redactor: Redactor, channels: Iterable[tuple[str, bytes]]) -> str:
    """Return the first channel that carries a canary, in any form; nothing if none does."""
    for name, data in channels:
        if any(each.kind == "canary" for each in redactor.find_values(data)):
            return name
    return ""


def describe(channel: str) -> tuple[str, str]:
    """Return why a run ends whose canary was seen, and what to do."""
    why = f"a canary was found in {channel}: something in the box read the environment and tried to carry it outside"
    hint = "nothing was published; read the task, and what the agent read, for hidden instructions"
    return why, f"{hint}. No real key was in the box, so none has to be replaced"


def describe_leak(kind: Kind, channel: str) -> tuple[str, str]:
    """Return why a run ends of which something was on its way out, and what to do."""
    if kind == "canary":
        return describe(channel)
    why = f"a secret of this run, or a part of one, was found in {channel}; the run was ended, and nothing published"
    return why, "look at the run's log before anything else, and replace the secret"


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
