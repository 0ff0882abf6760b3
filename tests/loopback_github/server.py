"""The loopback GitHub itself: starts and stops, keeps the log, and is told what shall go wrong."""

import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.loopback_github import dispatch
from tests.loopback_github.seeding import Seeding
from tests.loopback_github.switches import Failure, Hooks, How, Request
from tests.loopback_github.wire import Listener, Wire
from tests.loopback_github.world import World


class LoopbackGitHub(Seeding):
    """GitHub on one port: the API below `/api/v3` (or `/`), GraphQL at `/api/graphql` (or `/graphql`), git beside them."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(World(directory))
        self.requests: list[Request] = []
        self.git_requests: list[Request] = []
        self.violations: list[str] = []
        """Requests that break GitHub's description; the fixture wants none."""
        self.deviations: list[str] = []
        """Answers of ours that differ from the description."""
        self.failures: list[Failure] = []
        self.hooks = Hooks()
        self._listener = Listener((host, port), self)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.close_all()
        self._listener.server_close()
        self._thread.join(5)

    def answer(self, wire: Wire, path: str, query: str) -> None:
        dispatch.answer(self, wire, path, query)

    # ------------------------------------------------------------------ addresses

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """Return what GITHUB_SERVER_URL is."""
        return self.url_for(str(self._listener.server_address[0]))

    def url_for(self, host: str) -> str:
        """Return the address by which another host name or network reaches this server."""
        return f"http://{host}:{self.port}"

    @property
    def api_url(self) -> str:
        """Return what GITHUB_API_URL is."""
        return self.url + "/api/v3"

    @property
    def graphql_url(self) -> str:
        """Return what GITHUB_GRAPHQL_URL is."""
        return self.url + "/api/graphql"

    # ------------------------------------------------------------------ what goes wrong

    def fail(self, method: str, path: str, how: How, *, times: int = 1, skip: int = 0, seconds: float = 1) -> Failure:
        """Answer the next `times` requests wrongly whose path (a regular expression, searched) and method match.

        `seconds` is what Retry-After says, how far away a limit's reset is, or how slow a slow answer is.
        """
        self.failures.append(Failure(method, re.compile(path), how, times, skip, seconds))
        return self.failures[-1]

    def lag(self, kind: str, reads: int) -> None:
        """Leave what is created from now on out of the next `reads` lists: comment, issue, pull or branch."""
        self.world.lag[kind] = reads

    # ------------------------------------------------------------------ the log

    def asked(self, method: str = "", path: str = "") -> list[Request]:
        """Return the API requests whose method is this and whose path matches."""
        found = [r for r in self.requests if method in ("", r.method)]
        return [r for r in found if re.search(path, r.path)]

    def forget_requests(self) -> None:
        self.requests.clear()
        self.git_requests.clear()
