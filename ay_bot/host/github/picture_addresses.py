"""Which addresses of images are asked for: those that GitHub gives to what it keeps, and none that anybody made up."""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from ay_bot.errors import GithubFailed
from ay_bot.host.github.api_paths import segments

DOT_COM: Final = "https://github.com"
RAW: Final = "https://raw.githubusercontent.com"
_KEPT: Final = ("https://user-images.githubusercontent.com", "https://private-user-images.githubusercontent.com")
_ONWARD: Final = (
    "https://github-production-user-asset-6210df.s3.amazonaws.com",
    "https://objects.githubusercontent.com",
    "https://media.githubusercontent.com",
)
"""Where github.com sends who asks for a file; no address in a text leads there."""
LONGEST: Final = 4_000
_NOT_KEPT: Final = "only images that GitHub keeps are fetched"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_NAME = r"[A-Za-z0-9_.-]{1,100}"
_ATTACHED = re.compile(rf"/(?:user-attachments/assets|({_NAME}/{_NAME})/assets/\d{{1,20}})/({_UUID})")
_FILE_OF_SERVER = re.compile(rf"/({_NAME}/{_NAME})/(?:blob|raw)/(.+)")
_FILE_OF_RAW = re.compile(rf"/({_NAME}/{_NAME})/(.+)")
_REF = re.compile(r"(?:refs/(?:heads|tags)/)?([^/]+)/(.+)")
_STORED = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,200}){2,6}")
_SIGNED = re.compile(rf"/(?:[\w.-]+/){{1,5}}(?:[\w.]+-)*({_UUID})(?:\.[A-Za-z0-9]{{1,5}})?")
_SOURCE = re.compile(r"\bsrc=\"([^\"]{1,4000})\"")
_PORTS: Final[Mapping[str, str]] = {"https": ":443", "http": ":80"}


class Places(NamedTuple):
    """Where a GitHub keeps images, as origins; `api` is an address. `onward` are those that it may send us on to."""

    server: str
    api: str
    kept: frozenset[str]
    onward: frozenset[str]

    @property
    def raw(self) -> str:
        """Return where files of repositories are."""
        return RAW if self.server == DOT_COM else self._beside("raw")

    def _beside(self, name: str) -> str:
        scheme, _, host = self.server.partition("://")
        return f"{scheme}://{name}.{host}"


At = Literal["server", "api", "kept"]


class Wanted(NamedTuple):
    """What is asked for. `uuid` is an attachment's, `path` a file's in the repository that is worked on.

    A token may be told to the `api`, and to the `server` for an attachment; never to where images are `kept`.
    """

    url: str
    at: At
    uuid: str = ""
    path: str = ""


def places_of(server_url: str, api_url: str) -> Places:
    """Return the places of the GitHub that a run belongs to: of github.com, or of a server of one's own."""
    server = _origin(server_url)
    if server == DOT_COM:
        kept = frozenset((*_KEPT, RAW))
        return Places(server, api_url, kept, kept | {server, *_ONWARD})
    scheme, _, host = server.partition("://")
    kept = frozenset(f"{scheme}://{name}.{host}" for name in ("media", "raw"))
    return Places(server, api_url, kept, kept | {server})


def judge_address(address: str, places: Places, repository: str) -> Wanted:
    """Return what is asked for where a text shows an image of this address. Raises ValueError: it is not fetched."""
    origin, path = _origin(address), urlsplit(address).path
    if origin == places.server and (attached := _ATTACHED.fullmatch(path)):
        at: At = "server" if (attached[1] or repository).lower() == repository.lower() else "kept"
        return Wanted(f"{origin}{path}", at, uuid=attached[2].lower())
    if origin == places.server and (file := _FILE_OF_SERVER.fullmatch(path)):
        return _file(file[1], file[2], places, repository)
    if origin == places.raw and (file := _FILE_OF_RAW.fullmatch(path)):
        return _file(file[1], file[2], places, repository)
    if origin in places.kept and _STORED.fullmatch(path):
        return _kept(address, origin, path)
    if origin in places.onward:
        raise ValueError(_NOT_KEPT)
    raise ValueError("it is on another server, and nothing is fetched from there")


def judge_redirect(location: str, url: str, places: Places) -> str:
    """Return the address that an answer sends us on to. Raises ValueError unless that is GitHub's, too."""
    onward = urljoin(url, location[: LONGEST + 1])
    if _origin(onward) not in places.onward:
        raise ValueError("GitHub sends us on to another server")
    return onward


def find_signed(html: str, uuid: str, places: Places) -> str:
    """Return the address with a signature that GitHub put into a rendered text for an attachment; empty without."""
    from html import unescape

    for source in _SOURCE.findall(html):
        address = unescape(source)
        try:
            origin, split = _origin(address), urlsplit(address)
        except ValueError:
            continue
        found = _SIGNED.fullmatch(split.path)
        if found and found[1].lower() == uuid and split.query and origin in places.onward:
            return f"{origin}{split.path}?{split.query}"
    return ""


def _origin(address: str) -> str:
    """Return scheme, host and port of an address that nobody can read in two ways. Raises ValueError."""
    plain = address.isascii() and address.isprintable() and not re.search(r"[\s\\\"<>^`{|}]", address)
    if len(address) > LONGEST or not plain:
        raise ValueError("its address is malformed")
    try:
        split = urlsplit(address)
    except ValueError:
        raise ValueError("its address is malformed") from None
    if split.scheme not in _PORTS or not split.netloc:
        raise ValueError("it has no address on the web")
    if "@" in split.netloc or "%" in split.netloc:
        raise ValueError("its address is malformed")
    return f"{split.scheme}://{split.netloc.lower().removesuffix(_PORTS[split.scheme])}"


def _kept(address: str, origin: str, path: str) -> Wanted:
    query = urlsplit(address).query
    signed = _SIGNED.fullmatch(path)
    return Wanted(f"{origin}{path}" + (f"?{query}" if query else ""), "kept", uuid=signed[1].lower() if signed else "")


def _file(repository: str, rest: str, places: Places, own: str) -> Wanted:
    found = _REF.fullmatch(unquote(rest))
    if not found:
        raise ValueError(_NOT_KEPT)
    try:
        ref, path = segments(found[1]), segments(found[2])
    except GithubFailed:
        raise ValueError("its address is malformed") from None
    if repository.lower() == own.lower():
        return Wanted(f"{places.api}/repos/{own}/contents/{path}?ref={ref}", "api", path=found[2])
    if places.server != DOT_COM:
        raise ValueError("it is in another repository")
    return Wanted(f"{RAW}/{repository}/{ref}/{path}", "kept")
