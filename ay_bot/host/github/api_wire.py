"""Asking GitHub: what is sent again and what never is, waits, pages, and what is too long to be read."""

import json
import re
import time
from collections.abc import Mapping

from ay_bot.errors import GithubFailed
from ay_bot.host.github.api_failures import broken, failure_in_graphql, failure_of, limited, said_by, unreachable
from ay_bot.host.github.api_limits import wanted_wait
from ay_bot.host.github.api_request import Asked, Pace, Reply, Send, Unanswered, Unsent

PAGE = 100
MOST_PAGES = 10


class Wire:
    """Requests to one GitHub. A write is sent again only if GitHub said that it did nothing, for its rate limit."""

    def __init__(self, send: Send, pace: Pace) -> None:
        self.cut: list[str] = []
        """What was not read to its end."""
        self._send = send
        self._pace = pace
        self._last_write = 0.0

    def get(self, path: str, **parameters: str) -> object:
        """Return what stands at a path."""
        asked = Asked("GET", path, parameters)
        return _decoded(asked, self._exchange(asked))

    def pages(
        self, path: str, parameters: Mapping[str, str] | None = None, *, within: str = "", most: int = MOST_PAGES
    ) -> list[object]:
        """Return the items of a list, page after page; `within` names them where the list is inside an object."""
        items: list[object] = []
        for page in range(1, most + 1):
            asked = Asked("GET", path, {**(parameters or {}), "per_page": str(PAGE), "page": str(page)})
            reply = self._exchange(asked)
            # Only that there is a next page is believed, never its address.
            items += _listed(asked, _decoded(asked, reply), within)
            if not re.search(r'rel="?next"?', reply.headers.get("link", "")):
                return items
        self.cut.append(f"{path}: only the first {len(items)}")
        return items

    def write(self, verb: str, path: str, body: object = None) -> object:
        """Change something and return GitHub's answer."""
        asked = Asked(verb, path, body=body, again=False)
        return _decoded(asked, self._exchange(asked))

    def buy(self, path: str, body: object) -> object:
        """Post what can be posted twice without harm, such as the wish for a token."""
        asked = Asked("POST", path, body=body)
        return _decoded(asked, self._exchange(asked))

    def query(self, text: str, **variables: object) -> Mapping[str, object]:
        """Ask in GraphQL; nothing changes by it."""
        return self._graphql(text, variables, again=True)

    def mutate(self, text: str, **variables: object) -> Mapping[str, object]:
        """Change something in GraphQL."""
        return self._graphql(text, variables, again=False)

    def _graphql(self, text: str, variables: Mapping[str, object], *, again: bool) -> Mapping[str, object]:
        asked = Asked("POST", "/graphql", body={"query": text, "variables": variables}, again=again)
        answer = _decoded(asked, self._exchange(asked))
        named = asked._replace(verb="GraphQL", path=_operation(text))
        if isinstance(answer, dict) and answer.get("errors"):
            raise failure_in_graphql(named, answer["errors"])
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise broken(named, "it holds no data")
        return data

    def _exchange(self, asked: Asked) -> Reply:
        for attempt in range(1, self._pace.attempts + 1):
            outcome = self._try(asked, self._pace.backoff * 2 ** (attempt - 1))
            if isinstance(outcome, Reply):
                return outcome
            failure, wait = outcome
            if wait is None or attempt == self._pace.attempts:
                raise failure
            self._pace.sleep(wait)
        raise AssertionError

    def _try(self, asked: Asked, backoff: float) -> Reply | tuple[GithubFailed, float | None]:
        """Send once; return the reply, or what went wrong and how long to wait before it is sent again, if at all."""
        self._keep_pace(asked)
        try:
            reply = self._send(asked)
        except Unsent as error:
            return unreachable(asked, str(error)), backoff
        except Unanswered as error:
            return broken(asked, str(error)), backoff if asked.again else None
        wait = wanted_wait(reply, self._pace)
        if wait is not None:
            return limited(asked, wait, said_by(reply)), wait if wait <= self._pace.longest_wait else None
        if reply.status < 300:
            return reply
        return failure_of(asked, reply), backoff if asked.again and reply.status >= 500 else None

    def _keep_pace(self, asked: Asked) -> None:
        if asked.again:
            return
        rest = self._last_write + self._pace.between_writes - time.monotonic()
        if rest > 0:
            self._pace.sleep(rest)
        self._last_write = time.monotonic()


def _decoded(asked: Asked, reply: Reply) -> object:
    if not reply.text:
        return None
    try:
        answer: object = json.loads(reply.text)
    except (ValueError, RecursionError):
        raise broken(asked, "it is not JSON") from None
    return answer


def _listed(asked: Asked, answer: object, within: str) -> list[object]:
    items = answer.get(within) if within and isinstance(answer, dict) else answer
    if not isinstance(items, list):
        raise broken(asked, "it is not a list")
    return items


def _operation(text: str) -> str:
    found = re.match(r"\s*(?:query|mutation)\s+(\w+)", text)
    return found[1] if found else "query"
