"""What the loopback GitHub remembers: accounts, tokens, repositories and everything that is written on their threads."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.loopback_github.attachments import Attachment

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
LEGACY = {"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin"}


@dataclass
class Account:
    login: str
    id: int
    kind: str = "User"
    name: str | None = None
    email: str | None = None


@dataclass
class Token:
    """`permissions` is None for a person's classic token, which may what the person may."""

    value: str
    login: str
    permissions: dict[str, str] | None = None
    repositories: frozenset[str] | None = None
    app: str | None = None
    expires: datetime | None = None
    scopes: tuple[str, ...] = ("repo", "workflow")


@dataclass
class App:
    slug: str
    id: int
    private_key: str
    public_key: str
    permissions: dict[str, str]
    installations: dict[int, str] = field(default_factory=dict)
    """Installation id: owner of the repositories."""


@dataclass
class Reaction:
    id: int
    content: str
    login: str
    created: datetime


@dataclass
class Comment:
    """A comment, a review comment or a review: three tables on GitHub, told apart by `kind`."""

    id: int
    kind: str
    number: int
    login: str
    body: str
    created: datetime
    updated: datetime
    edited: datetime | None = None
    reactions: list[Reaction] = field(default_factory=list)
    path: str = ""
    line: int | None = None
    start_line: int | None = None
    side: str = "RIGHT"
    hunk: str = ""
    commit: str = ""
    reply_to: int | None = None
    review: int | None = None
    state: str = ""
    unlisted: int = 0


@dataclass
class Thread:
    """An issue, or a pull request with the issue that carries its comments."""

    id: int
    number: int
    kind: str
    title: str
    body: str | None
    login: str
    created: datetime
    updated: datetime
    state: str = "open"
    state_reason: str | None = None
    closed: datetime | None = None
    closed_by: str | None = None
    locked: bool = False
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    edited: datetime | None = None
    head_repository: str | None = None
    head_branch: str = ""
    head: str = ""
    base_branch: str = ""
    base: str = ""
    draft: bool = False
    merged: datetime | None = None
    maintainer_can_modify: bool = False
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    unlisted: int = 0


@dataclass
class IssueEvent:
    id: int
    number: int
    event: str
    login: str
    created: datetime
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Repository:
    full_name: str
    id: int
    git: Path
    default_branch: str = "main"
    private: bool = False
    fork_of: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    base_roles: dict[str, str] = field(default_factory=dict)
    """Roles of an organisation's own, and what they are based on."""
    associations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    events: list[IssueEvent] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    check_runs: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    apps: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)
    signed: set[str] = field(default_factory=set)
    protected: set[str] = field(default_factory=set)
    unlisted_refs: dict[str, int] = field(default_factory=dict)
    known_heads: dict[str, str] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)
    actions_may_open_pulls: bool = True
    drafts_allowed: bool = True
    has_issues: bool = True

    @property
    def owner(self) -> str:
        return self.full_name.split("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.split("/")[1]


class World:
    """All of it, and the counter that gives ids out."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[str, App] = {}
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.attachments: dict[str, Attachment] = {}
        self.attachments_for_apps = False
        """Whether an App's token opens a private attachment's own address; a person's does."""
        self.lag: dict[str, int] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._ids = itertools.count(1001)

    def new_id(self) -> int:
        return next(self._ids)

    def now(self) -> datetime:
        """Return the moment that GitHub would write down: whole seconds."""
        return self.clock().replace(microsecond=0)

    def account(self, login: str) -> Account:
        """Return an account, made on its first use."""
        found = self.accounts.get(login.lower())
        if found is None:
            kind = "Bot" if login.endswith("[bot]") else "User"
            found = self.accounts[login.lower()] = Account(login, self.new_id(), kind)
        return found

    def repository(self, full_name: str) -> Repository | None:
        return self.repositories.get(full_name.lower())

    def role(self, repository: Repository, login: str | None) -> str:
        """Return a login's role; everybody reads what is public."""
        if login is not None and login.lower() == repository.owner.lower():
            return "admin"
        given = repository.roles.get((login or "").lower())
        return given or ("none" if repository.private else "read")

    def permission(self, repository: Repository, login: str | None) -> str:
        """Return a login's permission in GitHub's older words: admin, write, read or none."""
        role = self.role(repository, login)
        return LEGACY.get(role) or LEGACY[repository.base_roles.get(role, "write")]

    def reaches(self, repository: Repository, login: str | None, role: str) -> bool:
        """Whether a login's role, or what that is based on, is this one or a stronger one."""
        held = self.role(repository, login)
        held = held if held in ROLES else repository.base_roles.get(held, "write")
        return ROLES.index(held) >= ROLES.index(role)

    def record(self, repository: Repository, number: int, event: str, login: str, **details: Any) -> None:
        """Write an event on a thread's timeline."""
        repository.events.append(IssueEvent(self.new_id(), number, event, login, self.now(), details))
