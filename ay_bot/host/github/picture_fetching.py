"""One download from GitHub: bounded in size, time and tries, and sent on only to where GitHub itself keeps images."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from ay_bot.host.github.picture_addresses import Places, judge_redirect

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

MOST_HOPS: Final = 3
SILENCE: Final = 5.0
"""Seconds without a byte, or without a connection."""
_PAUSES: Final = (0.5, 1.5)
"""Seconds before the second and the third try."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK: Final = 65_536
_ONWARD: Final = frozenset({301, 302, 303, 307, 308})


class NotHad(Exception):
    """An image could not be had; the text says why, in words for people, and holds no address."""


class _Fleeting(NotHad):
    """What may be had a little later; `wait` is what GitHub asks for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


class Download(NamedTuple):
    """What is asked for. The token goes along with the first request alone; `deadline` is time.monotonic's."""

    url: str
    deadline: float
    most: int
    token: str = ""
    accept: str = "image/*"


def download(asked: Download, places: Places) -> bytes:
    """Return what stands at an address; what fails by chance is tried again while there is time. Raises NotHad."""
    for pause in (*_PAUSES, None):
        try:
            return _try(asked, places)
        except _Fleeting as failure:
            wait = max(pause or 0.0, failure.wait)
            if pause is None or time.monotonic() + wait > asked.deadline:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _try(asked: Download, places: Places) -> bytes:
    from requests import RequestException
    from requests.exceptions import ChunkedEncodingError, SSLError, Timeout
    from requests.exceptions import ConnectionError as NotReached
    from urllib3.exceptions import HTTPError, ProtocolError

    try:
        with _open_session() as session:
            return _follow(session, asked, places)
    except (RequestException, HTTPError, OSError, ValueError) as error:
        broken = isinstance(error, NotReached | ChunkedEncodingError | ProtocolError | ConnectionError)
        kind = _Fleeting if broken and not isinstance(error, SSLError | Timeout) else NotHad
        raise kind(f"GitHub didn't answer ({type(error).__name__})") from None


def _follow(session: "Session", asked: Download, places: Places) -> bytes:
    url, token = asked.url, asked.token
    for _ in range(MOST_HOPS + 1):
        with _get(session, asked._replace(url=url, token=token)) as response:
            if response.status_code not in _ONWARD:
                _check(response, asked.most)
                return _read(response, asked)
            url, token = _judge(response.headers.get("location", ""), url, places), ""
    raise NotHad("GitHub sends us on without an end")


def _judge(location: str, url: str, places: Places) -> str:
    try:
        return judge_redirect(location, url, places)
    except ValueError as error:
        raise NotHad(str(error)) from None


@contextmanager
def _get(session: "Session", asked: Download) -> Iterator["Response"]:
    def sign(request: "PreparedRequest") -> "PreparedRequest":
        """Set the token or nothing: without this, a .netrc would be read for one."""
        if asked.token:
            request.headers["Authorization"] = f"Bearer {asked.token}"
        return request

    patience = max(0.01, min(SILENCE, asked.deadline - time.monotonic()))
    with session.get(
        asked.url,
        headers={"Accept": asked.accept, "Accept-Encoding": "identity", "User-Agent": "ay-bot"},
        auth=sign,
        stream=True,
        allow_redirects=False,
        timeout=patience,
    ) as response:
        yield response


def _open_session() -> "Session":
    """Return a session that remembers no cookies."""
    from http.cookiejar import DefaultCookiePolicy

    from requests import Session

    session = Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


_MEANINGS: Final[Mapping[int, str]] = {
    401: "GitHub doesn't let us see it",
    403: "GitHub doesn't let us see it",
    404: "GitHub has no such file, or doesn't let us see it",
    410: "GitHub has it no more",
    429: "GitHub was asked too often",
}


def _check(response: "Response", most: int) -> None:
    if response.status_code in _PASSING:
        why = _MEANINGS.get(response.status_code, f"GitHub answered {response.status_code}")
        raise _Fleeting(why, _asked_to_wait(response))
    if response.status_code != 200:
        raise NotHad(_MEANINGS.get(response.status_code, f"GitHub answered {response.status_code}"))
    if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise NotHad("GitHub sent it packed")
    size = response.headers.get("content-length", "")
    if size.isascii() and size.isdigit() and int(size[:20]) > most:
        raise NotHad(f"it has more than {most:,} bytes")


def _asked_to_wait(response: "Response") -> float:
    """Return the seconds of a Retry-After, which may be a number or a date; 0 without."""
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    try:
        return Retry().parse_retry_after(response.headers.get("retry-after", "0"))
    except (InvalidHeader, OverflowError, ValueError):
        return 0.0


def _read(response: "Response", asked: Download) -> bytes:
    """Read as bytes come, and look at the clock each time: a slow sender would outlast every timeout."""
    data = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        data += chunk
        if len(data) > asked.most:
            raise NotHad(f"it has more than {asked.most:,} bytes")
        if time.monotonic() > asked.deadline:
            raise NotHad("it took too long")
    size = response.headers.get("content-length", "")
    if size.isdigit() and len(data) < int(size[:20]):
        raise _Fleeting("it came in part only")
    return bytes(data)
