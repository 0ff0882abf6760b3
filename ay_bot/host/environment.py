"""The one module that reads the process's environment; it imports nothing heavy, since a run begins here."""

import os
from collections.abc import Iterable, Mapping


def environment() -> Mapping[str, str]:
    """Return the environment, for the modules that are handed a named part of it."""
    return os.environ  # noqa: TID251 - this is the one place


def load_no_plugins() -> None:
    """Keep pydantic from looking through every installed package for plugins, which costs each start 25 ms."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # noqa: TID251 - this is the one place


def forget(names: Iterable[str]) -> None:
    """Take variables out of the environment, so that no child started from here on can have them."""
    for name in tuple(names):
        os.environ.pop(name, None)  # noqa: TID251 - this is the one place
