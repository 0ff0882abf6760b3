"""Where the images of a thread come from: which way leads to each of them, and who is told the token on it."""

import json
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ay_bot.host.github.picture_addresses import Places, Wanted, find_signed, judge_address
from ay_bot.host.github.picture_fetching import Download, NotHad, download
from ay_bot.host.github.thread import Picture
from ay_bot.host.models.images import MOST_BYTES

LONGEST: Final = 10.0
"""Seconds for one image."""
MOST_RENDERED: Final = 2_000_000
_RENDERED: Final = "application/vnd.github.full+json"
_FILE: Final = "application/vnd.github.raw+json"


class Reaching(NamedTuple):
    """How GitHub is reached for one repository; `hides` says which of its files are kept from the agent."""

    places: Places
    repository: str
    private: bool
    token: str
    hides: Callable[[str], bool] = lambda _path: False


class GithubPictures:
    """Fetches images. What is public is asked for without the token: that may see more than who wrote the address."""

    def __init__(self, reaching: Reaching) -> None:
        self._reaching = reaching
        self._rendered: dict[str, str] = {}

    def __call__(self, picture: Picture) -> bytes:
        """Return an image's bytes. Raises NotHad, or ValueError for an address that is not asked for."""
        reaching = self._reaching
        wanted = judge_address(picture.address, reaching.places, reaching.repository)
        if wanted.path and reaching.hides(wanted.path):
            raise ValueError("the settings keep this file from the agent")
        deadline = time.monotonic() + LONGEST
        if wanted.at == "api":
            return self._get(wanted.url, deadline, token=reaching.token, accept=_FILE)
        if wanted.uuid and reaching.private:
            return self._private(picture, wanted, deadline)
        return self._get(wanted.url, deadline)

    def _private(self, picture: Picture, wanted: Wanted, deadline: float) -> bytes:
        """A private attachment is had by the address that GitHub signs when it renders the text, or with the token."""
        if signed := find_signed(self._render(picture.place, deadline), wanted.uuid, self._reaching.places):
            return self._get(signed, deadline)
        return self._get(wanted.url, deadline, token=self._reaching.token if wanted.at == "server" else "")

    def _render(self, place: str, deadline: float) -> str:
        reaching = self._reaching
        if place not in self._rendered:
            url = f"{reaching.places.api}/repos/{reaching.repository}/{place}"
            asked = Download(url, deadline, MOST_RENDERED, reaching.token, _RENDERED)
            try:
                self._rendered[place] = _html(download(asked, reaching.places))
            except NotHad:
                self._rendered[place] = ""
        return self._rendered[place]

    def _get(self, url: str, deadline: float, *, token: str = "", accept: str = "image/*") -> bytes:
        return download(Download(url, deadline, MOST_BYTES, token, accept), self._reaching.places)


def _html(answer: bytes) -> str:
    try:
        found: object = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    html = found.get("body_html") if isinstance(found, dict) else None
    return html if isinstance(html, str) else ""
