"""Addresses within GitHub's API, built from names that others chose: none can lead to another place."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

from ay_bot.errors import GithubFailed, UsageError

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


def check_repository(name: str) -> None:
    """Raise UsageError unless this is `owner/name`."""
    if not _REPOSITORY.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise UsageError(
            f"{name[:200]!r} is not a repository", hint="write it as owner/name, as GITHUB_REPOSITORY has it"
        )


def segment(name: str) -> str:
    """Return one part of a path, quoted."""
    return quote(_checked(name), safe="")


def segments(path: str) -> str:
    """Return a path below another one, quoted but for its slashes."""
    return "/".join(segment(part) for part in path.split("/"))


def _checked(name: str) -> str:
    # HTTP clients resolve dots before they send, quoted or not.
    if name in ("", ".", "..") or not name.isprintable():
        raise GithubFailed(f"{name[:200]!r} can't be part of an address at GitHub", hint="check the name or the path")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise GithubFailed(f"{name[:200]!r} is not text that GitHub can be asked about") from None
    return name


def check_address(url: str) -> None:
    """Raise UsageError unless a token may be sent to this address: over TLS, or within this machine."""
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port
    except ValueError:
        host, port, split = None, None, urlsplit("")
    safe = split.scheme == "https" or (split.scheme == "http" and host in LOOPBACK)
    plain = url.isascii() and url.isprintable() and " " not in url
    if not host or not safe or not plain or split.username is not None or split.query or split.fragment or port == 0:
        msg = f"{url[:200]!r} is not an address that a token may be sent to"
        raise UsageError(msg, hint="give an https:// address without a user name; http:// is for this machine only")
