"""Stage 4 for one text: links go to hosts that are allowed, and nobody is called but the requester."""

import re

from ay_bot.host.outputs.allowance import Allowance

_ADDRESS = re.compile(r"(?P<scheme>https?|ftp)://(?P<host>[^\s<>/?#()\[\]\"'`\\]*)(?P<rest>[/?#\\]?)", re.IGNORECASE)
_BARE = re.compile(r"www\.(?=\S)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.-]+")
_TRAILING = ".,:;!*_~'\""
_CALL = re.compile(r"@(?=[\w-])")
_OWN_NAME = re.compile(r"(?<![\w./])/(?=ay(?![\w-]))", re.IGNORECASE)
_DEFANGED = {"http": "hxxp", "https": "hxxps", "ftp": "fxp"}


def foreign_hosts(text: str, allowance: Allowance) -> tuple[str, ...]:
    """Return the hosts that a text links to and may not."""
    return tuple(found["host"] for found in _ADDRESS.finditer(text) if not _is_allowed(found, allowance))


def calls(text: str, allowance: Allowance) -> int:
    """Return how many people, teams or addresses a text would call."""
    return len(_call_pattern(allowance).findall(text))


def defang(text: str, allowance: Allowance) -> str:
    """Return text whose links go nowhere but to allowed hosts, and that calls nobody but the requester."""
    text = _ADDRESS.sub(lambda found: found[0] if _is_allowed(found, allowance) else _blunt(found), text)
    text = _BARE.sub("www[.]", text)
    text = _OWN_NAME.sub("", text)
    return _call_pattern(allowance).sub("@ ", text)


def _is_allowed(found: re.Match[str], allowance: Allowance) -> bool:
    host = found["host"].rstrip(_TRAILING) if not found["rest"] else found["host"]
    return (
        found["scheme"].lower() == "https"
        and found["rest"] != "\\"
        and bool(_HOST.fullmatch(host))
        and allowance.has_host(host)
    )


def _blunt(found: re.Match[str]) -> str:
    host = re.sub(r"(?<!\[)\.", "[.]", found["host"])
    return f"{_DEFANGED[found['scheme'].lower()]}://{host}{found['rest']}"


def _call_pattern(allowance: Allowance) -> re.Pattern[str]:
    if not allowance.requester:
        return _CALL
    name = re.escape(allowance.requester)
    return re.compile(rf"@(?=[\w-])(?!(?<![\w.`/]@){name}(?![\w/-]|\.\w))", re.IGNORECASE)
