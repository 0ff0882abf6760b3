"""git over HTTPS: a clone with exactly one commit, and a push that takes nobody's work away.

The token is in the environment of git and of the programs that git starts, for as long as they run: never in an
argument, an address or a file. git follows no redirect, asks nobody for a password and runs no hook.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ay_bot.errors import AnswerLost, HeadMoved, UsageError
from ay_bot.host.branch import check_branch_name
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.github.api_paths import check_address
from ay_bot.host.github.credentials import Token
from ay_bot.host.github.git_failures import BrokeOff, fetch_failure, push_failure
from ay_bot.host.repository import Repository
from ay_bot.host.repository_notices import list_notices

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PINNED: Final = "refs/ay-bot/pinned"
_SETTINGS: Final = {
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "credential.helper": "",
    "protocol.version": "2",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "push.gpgSign": "false",
    "push.followTags": "false",
    "maintenance.auto": "false",
}
_HARMLESS: Final = (
    "badDate", "badDateOverflow", "badEmail", "badFilemode", "badName", "badTimezone", "extraHeaderEntry",
    "gitmodulesMissing", "gitmodulesParse", "missingEmail", "missingNameBeforeEmail", "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail", "missingTaggerEntry", "multipleAuthors", "nulInCommit", "zeroPaddedDate",
    "zeroPaddedFilemode",
)  # fmt: skip
"""What git's check finds in the commits of honest old repositories. What remains are trees that attack."""
_SURROUNDINGS: Final = frozenset(
    {"https_proxy", "http_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir", "git_ssl_cainfo"}
)


class Remote:
    """A repository at GitHub, for git. `token` is asked before each command, so that an App's is fresh.

    `surroundings` is the process's environment; only its proxy and certificate settings are taken over.
    """

    def __init__(
        self, url: str, token: Callable[[], Token | None] = lambda: None, surroundings: Mapping[str, str] | None = None
    ) -> None:
        check_address(url)
        self.url = url
        self._token = token
        self._surroundings = surroundings or {}

    def clone_pinned(self, commit: str, into: Path, *, depth: int = 1) -> Repository:
        """Make a bare repository at `into` that holds `commit` and the history of the given depth (0: all of it)."""
        check_commit(commit)
        width = "sha256" if len(commit) == 64 else "sha1"
        run_git(["init", "--bare", "--quiet", "--template=", f"--object-format={width}", str(into)])
        self.fetch(into, [commit], depth=depth)
        run_git(["update-ref", "--no-deref", "HEAD", commit], git_dir=into)
        return Repository(
            path=into,
            git_dir=into,
            common_dir=into,
            objects=into / "objects",
            object_format=width,
            head=commit,
            branch=None,
            bare=True,
            shallow=(into / "shallow").is_file(),
            dirt="clean",
            notices=list_notices(into, commit, shallow=False, partial=False),
        )

    def fetch(self, git_dir: Path, commits: Sequence[str], *, depth: int = 1) -> None:
        """Bring commits, by their ids, and history of the given depth (0: all of it) into a bare repository."""
        for commit in commits:
            check_commit(commit)
        history = [f"--depth={depth:d}"] if depth else ["--unshallow"] * (git_dir / "shallow").is_file()
        quiet = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--force"]
        refs = [f"{commit}:{_PINNED}/{commit}" for commit in commits]
        self._fetch(git_dir, ["fetch", *quiet, *history, "--end-of-options", self.url, *refs], commits)

    def _fetch(self, git_dir: Path, command: Sequence[str], commits: Sequence[str], *, again: bool = True) -> None:
        token = self._token()
        try:
            self._run(git_dir, token, command)
        except GitFailed as failure:
            meaning = fetch_failure(self.url, commits, _hide(failure.complaint, token))
            if not again or not isinstance(meaning, BrokeOff):
                raise meaning from None
            self._fetch(git_dir, command, commits, again=False)

    def push(self, git_dir: Path, commit: str, branch: str, expected: str | None) -> None:
        """Make a branch point at a commit, if it points at `expected` now (None: if there is none yet).

        Raises HeadMoved where it points elsewhere, NotAllowed, and AnswerLost where it may or may not have been done.
        A branch that has the commit already is fine.
        """
        for name in (commit, *([expected] if expected is not None else [])):
            check_commit(name)
        check_branch_name(branch)
        ref = f"refs/heads/{branch}"
        options = ["--quiet", "--no-verify", "--no-signed", f"--force-with-lease={ref}:{expected or ''}"]
        token = self._token()
        try:
            self._run(git_dir, token, ["push", *options, "--end-of-options", self.url, f"{commit}:{ref}"])
        except GitFailed as failure:
            meaning = push_failure(self.url, branch, _hide(failure.complaint, token))
            if not isinstance(meaning, HeadMoved | AnswerLost) or not self._is_at(git_dir, ref, commit):
                raise meaning from None

    def _is_at(self, git_dir: Path, ref: str, commit: str) -> bool:
        # libcurl sends a push a second time if the server closes the connection without a word; the second one then
        # meets the branch that the first one made.
        try:
            found = self._run(git_dir, self._token(), ["ls-remote", "--quiet", "--end-of-options", self.url, ref])
        except GitFailed:
            return False
        return found.decode("utf-8", "replace").splitlines() == [f"{commit}\t{ref}"]

    def _run(self, git_dir: Path, token: Token | None, command: Sequence[str]) -> bytes:
        return run_git(command, git_dir=git_dir, environment=git_environment(self.url, token, self._surroundings))


def git_environment(url: str, token: Token | None, surroundings: Mapping[str, str]) -> dict[str, str]:
    """Return what git needs of an environment to reach one server, and no other, with a token."""
    settings = dict(_SETTINGS) | {f"fetch.fsck.{name}": "ignore" for name in _HARMLESS}
    if token is not None:
        settings[f"http.{url}.extraHeader"] = f"Authorization: Basic {_basic(token)}"
    counted = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_ALLOW_PROTOCOL": urlsplit(url).scheme}
    for index, (name, value) in enumerate(settings.items()):
        counted |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
    return {name: value for name, value in surroundings.items() if name.lower() in _SURROUNDINGS} | counted


def _hide(text: str, token: Token | None) -> str:
    """Return text without the token, in either of the forms that it is sent in."""
    for secret in () if token is None else (token.secret.get_secret_value(), _basic(token)):
        text = text.replace(secret, "***")
    return text


def _basic(token: Token) -> str:
    return base64.b64encode(f"x-access-token:{token.secret.get_secret_value()}".encode()).decode()


def check_commit(commit: str) -> None:
    """Raise UsageError unless this is the whole id of a commit."""
    if not _COMMIT.fullmatch(commit):
        raise UsageError(f"{commit[:100]!r} is not the full id of a commit", hint="give all 40 hexadecimal digits")
