"""The loopback GitHub itself: starts and stops, keeps the log, and is told what shall go wrong."""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.loopback_github import attachments
from tests.loopback_github.certificate import make_certificate
from tests.loopback_github.control import answer_control
from tests.loopback_github.dispatch import answer_api
from tests.loopback_github.dispatch_git import GIT_PATH, answer_git
from tests.loopback_github.git_store import environment
from tests.loopback_github.seeding_checks import CheckSeeding, PayloadSeeding
from tests.loopback_github.seeding_people import PeopleSeeding
from tests.loopback_github.seeding_threads import ThreadSeeding
from tests.loopback_github.switches import Failure, Hooks, How, Request
from tests.loopback_github.wire import Listener, Wire
from tests.loopback_github.world import World


class LoopbackGitHub(PeopleSeeding, ThreadSeeding, CheckSeeding, PayloadSeeding):
    """GitHub on one port: the API below `/api/v3` (or `/`), GraphQL at `/api/graphql` (or `/graphql`), git beside them."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", port: int = 0, *, names: Sequence[str] = ()) -> None:
        """Listen at once; `names` makes it speak TLS with a certificate for these hosts, see `certificate`."""
        super().__init__(World(directory))
        self.names = tuple(names)
        self.certificate = make_certificate(directory, [host, *names]) if names else None
        self.requests: list[Request] = []
        self.git_requests: list[Request] = []
        self.attachment_requests: list[Request] = []
        """Those for attachments and for the storage behind them, with all their headers."""
        self.violations: list[str] = []
        """Requests that break GitHub's description; the fixture wants none."""
        self.deviations: list[str] = []
        """Answers of ours that differ from the description."""
        self.failures: list[Failure] = []
        self.hooks = Hooks()
        self._listener = Listener((host, port), self, self.certificate)
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
        """Answer one request."""
        if found := GIT_PATH.fullmatch(path):
            answer_git(self, wire, found, query)
        elif found := attachments.ATTACHMENT_PATH.fullmatch(path):
            attachments.answer_attachment(self, wire, found, query)
        elif path.startswith("/_control/"):
            wire.send(*answer_control(self, path, wire.body()))
        else:
            answer_api(self, wire, path, query, wire.body())

    def take_failure(self, request: Request) -> Failure | None:
        """Call the hooks, and return the switch that this request meets, if any."""
        for hook in self.hooks.before:
            hook(request)
        failure = next((f for f in self.failures if f.matches(request)), None)
        if failure and failure.how == "slow":
            time.sleep(failure.seconds)
        return failure if failure and failure.how != "slow" else None

    # ------------------------------------------------------------------ addresses

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """Return what GITHUB_SERVER_URL is."""
        host = str(self._listener.server_address[0])
        return self.url_for((*self.names, "127.0.0.1")[0] if host == "0.0.0.0" else host)

    def url_for(self, host: str) -> str:
        """Return the address by which another host name or network reaches this server."""
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    @property
    def links(self) -> tuple[str, str]:
        return self.api_url, self.url

    @property
    def api_url(self) -> str:
        """Return what GITHUB_API_URL is."""
        return self.url + "/api/v3"

    @property
    def graphql_url(self) -> str:
        """Return what GITHUB_GRAPHQL_URL is."""
        return self.url + "/api/graphql"

    def attach(self, data: bytes, kind: str = "image/png", *, repository: str = "") -> str:
        """Keep a file as the page does when somebody drops it into a comment; return its address."""
        made = attachments.keep(self.world, self.repository(repository).full_name, data, kind)
        return f"{self.url}/user-attachments/assets/{made.uuid}"

    def fetch_branch(self, branch: str, into: Path, token: str = "", repository: str = "") -> Path:
        """Clone a branch with git over HTTP, as anybody would; return the folder with its files."""
        name = self.repository(repository).full_name
        place = (
            f"{self.url}/{name}.git".replace("://", f"://x-access-token:{token}@")
            if token
            else f"{self.url}/{name}.git"
        )
        more = {"GIT_SSL_CAINFO": str(self.certificate)} if self.certificate else {}
        surroundings = environment(GIT_TERMINAL_PROMPT="0", **more)
        subprocess.run(
            ["git", "clone", "-q", "-b", branch, place, str(into)], check=True, capture_output=True, env=surroundings
        )
        return into

    # ------------------------------------------------------------------ what goes wrong

    def fail(
        self, method: str, path: str, how: How, *, times: int = 1, skip: int = 0, seconds: float = 1,
        do: Callable[[Request], None] | None = None,
    ) -> Failure:  # fmt: skip
        """Answer the next `times` requests wrongly whose path (a regular expression, searched) and method match.

        The method `*` is any and `WRITE` any that may change something, pushes and mutations included. `seconds` is
        what Retry-After says, how far away a limit's reset is, or how slow a slow answer is. `do` is called first.
        """
        self.failures.append(Failure(method, re.compile(path), how, times, skip, seconds, do))
        return self.failures[-1]

    def kill_before(self, method: str, path: str, kill: Callable[[Request], None], *, skip: int = 0) -> Failure:
        """Call `kill` when such a request comes in, which then has no effect and no answer."""
        return self.fail(method, path, "drop-before", skip=skip, do=kill)

    def kill_after(self, method: str, path: str, kill: Callable[[Request], None], *, skip: int = 0) -> Failure:
        """Call `kill` when such a request has taken effect, which then has no answer."""
        return self.fail(method, path, "drop-after", skip=skip, do=kill)

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
        self.attachment_requests.clear()
