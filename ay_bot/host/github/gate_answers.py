"""What the gate asks GitHub, over the standard library alone: who may, and one reaction. Two calls at most."""

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from ay_bot.host.permissions import Standing

SECONDS: Final = 5.0
MOST_CALLS: Final = 2
"""For one event, a repeated call and the reaction to a refusal included."""
_MOST_BYTES: Final = 256 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_STRONG: Final = frozenset({"write", "maintain", "admin"})
_THREADS: Final = {"comment": "issues/comments", "review_comment": "pulls/comments", "issue": "issues"}


class GateAnswers:
    """GitHub's answers for one event. It is an `Ask`: call it with a login. Whatever goes wrong is None: unknown."""

    def __init__(self, repository: str, token: str, api_url: str = "https://api.github.com") -> None:
        self.calls = 0
        self._token = token.strip()
        self._api_url = api_url.rstrip("/")
        self._repository = repository
        self._usable = bool(_REPOSITORY.fullmatch(repository)) and _is_safe(api_url) and _is_token(self._token)

    def __call__(self, login: str) -> Standing | None:
        """Return what a login may do.

        Nobody but an App itself may ask where it is installed, and it is no collaborator either: only a right to write
        shows that it has a place here. Every other App is unknown, which the gate refuses.
        """
        if not _LOGIN.fullmatch(login):
            return None
        place = f"collaborators/{quote(login, safe='')}/permission"
        status, answer = self._call("GET", place, tries=2)
        is_app = login.endswith("[bot]")
        if status == 404:
            return None if is_app else Standing("none", "none")
        permission = answer.get("permission")
        if status != 200 or not isinstance(permission, str) or (is_app and permission not in _STRONG):
            return None
        role = answer.get("role_name")
        return Standing(permission, role if isinstance(role, str) and role else permission)

    def react(self, kind: str, target: int, reaction: str) -> bool:
        """React to a `comment`, a `review_comment` or an `issue` (or pull request) if a call is left for it."""
        place = f"{_THREADS.get(kind, 'issues')}/{target:d}/reactions"
        status, _ = self._call("POST", place, {"content": reaction}, tries=1)
        return status in (200, 201)

    def _call(
        self, verb: str, place: str, body: Mapping[str, str] | None = None, *, tries: int
    ) -> tuple[int, Mapping[str, object]]:
        """Return status and object; the status is 0 where there is none."""
        status = 0
        for _ in range(tries):
            if not self._usable or self.calls >= MOST_CALLS:
                break
            self.calls += 1
            status, text = self._send(verb, f"{self._api_url}/repos/{self._repository}/{place}", body)
            if 0 < status < 500:
                return status, _parsed(text)
        return status, {}

    def _send(self, verb: str, url: str, body: Mapping[str, str] | None) -> tuple[int, bytes]:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class NoRedirect(HTTPRedirectHandler):
            """The token goes to no other address."""

            def redirect_request(self, *_: object) -> None:
                """Refuse."""

        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, self._headers(), method=verb)  # noqa: S310 - the scheme was checked
        try:
            with build_opener(NoRedirect).open(request, timeout=SECONDS) as reply:
                return reply.status, reply.read(_MOST_BYTES)
        except HTTPError as error:
            error.close()
            return error.code, b""
        except (OSError, HTTPException, ValueError):
            return 0, b""

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "User-Agent": "ay-bot",
            "X-GitHub-Api-Version": "2022-11-28",
        }


def open_answers(environment: Mapping[str, str]) -> GateAnswers | None:
    """Return GitHub's answers as a workflow's environment names them; None without a token or a repository."""
    token = environment.get("GITHUB_TOKEN", "").strip()
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not token or not repository:
        return None
    return GateAnswers(repository, token, environment.get("GITHUB_API_URL") or "https://api.github.com")


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def _is_safe(url: str) -> bool:
    try:
        split = urlsplit(url)
        host = split.hostname
    except ValueError:
        return False
    return bool(host) and (split.scheme == "https" or (split.scheme == "http" and host in _LOOPBACK))


def _parsed(text: bytes) -> Mapping[str, object]:
    try:
        answer: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
