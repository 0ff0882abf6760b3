"""Mistakes in workflows that let strangers run code, steal tokens or start the bot in vain; each with its fix."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from ay_bot.protocol.conversation import Value

_Table = Mapping[object, object]
Severity = Literal["error", "warning"]
NEEDED: Final = frozenset({"contents", "issues", "pull-requests", "statuses", "actions", "checks"})
"""The permissions that a job of the bot may have to write with."""
COMMENT_EVENTS: Final = frozenset({"issue_comment", "issues", "pull_request_review_comment", "pull_request_review"})
PUBLISHES: Final = ("contents", "issues", "pull-requests", "statuses")
"""Those of them without which a request can't be brought to its end."""
_HEAD = re.compile(r"head\.(?:sha|ref)|head_ref|refs/pull/|head_sha|head_branch", re.IGNORECASE)
_SHA = re.compile(r"@[0-9a-f]{40}$")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_UNTRUSTED = re.compile(
    r"\$\{\{[^}]*(?:github\.event\.(?!number|action)|github\.head_ref|inputs\.|github\.event_path\.)[^}]*\}\}"
)
_OURS = re.compile(r"(?:^|/)ay-bot(?:[@/:]|$)")


class WorkflowFinding(Value):
    """One mistake: which rule, where, what can happen, and what to write instead."""

    rule: str
    severity: Severity
    file: str
    job: str = ""
    problem: str
    fix: str


class _Job(NamedTuple):
    """A job, and what of its workflow bears on it."""

    name: str
    body: _Table
    workflow: _Table
    events: frozenset[str]

    @property
    def steps(self) -> list[_Table]:
        return [step for step in _list(self.body.get("steps")) if isinstance(step, Mapping)]

    @property
    def is_ours(self) -> bool:
        return any(_OURS.search(_text(step.get("uses"))) or "ay-bot " in _text(step.get("run")) for step in self.steps)


class _Rule(NamedTuple):
    """`find` yields what is wrong with a job; a rule for our own jobs leaves others alone."""

    name: str
    severity: Severity
    fix: str
    find: Callable[[_Job], Iterator[str]]
    ours_only: bool = True


def lint_workflow(file: str, content: bytes) -> tuple[WorkflowFinding, ...]:
    """Return the mistakes of one workflow file; one that can't be read is a mistake too."""
    import yaml

    try:
        workflow = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return (_unreadable(file, str(error).splitlines()[0]),)
    if not isinstance(workflow, Mapping) or not isinstance(workflow.get("jobs"), Mapping):
        return (_unreadable(file, "it has no jobs"),)
    events = _events(workflow)
    jobs = (
        _Job(str(name), body, workflow, events) for name, body in workflow["jobs"].items() if isinstance(body, Mapping)
    )
    return tuple(finding for job in jobs for finding in _lint_job(file, job))


def _lint_job(file: str, job: _Job) -> Iterator[WorkflowFinding]:
    for rule in _RULES:
        if rule.ours_only and not job.is_ours:
            continue
        for problem in rule.find(job):
            yield WorkflowFinding(
                rule=rule.name, severity=rule.severity, file=file, job=job.name, problem=problem, fix=rule.fix
            )


def _unreadable(file: str, why: str) -> WorkflowFinding:
    problem = f"the workflow can't be read: {why}"
    return WorkflowFinding(rule="AY000", severity="error", file=file, problem=problem, fix="mend the YAML")


# ------------------------------------------------------------------------------------------------ the rules


def _find_pwn_request(job: _Job) -> Iterator[str]:
    if not job.events & {"pull_request_target", "workflow_run"}:
        return
    for step in job.steps:
        given = step.get("with")
        ref = _text(given.get("ref")) if isinstance(given, Mapping) else ""
        command = _text(step.get("run"))
        if _is_checkout(step) and _HEAD.search(ref):
            yield "it checks out a pull request's own code in a job that has the repository's secrets"
        elif "git " in command and _HEAD.search(command):
            yield "it fetches a pull request's own code in a job that has the repository's secrets"
    if job.is_ours and "pull_request_target" in job.events:
        yield "the bot is started by pull_request_target, which anybody can set off"


def _find_credentials(job: _Job) -> Iterator[str]:
    for step in job.steps:
        given = step.get("with")
        kept = given.get("persist-credentials", True) if isinstance(given, Mapping) else True
        if _is_checkout(step) and str(kept).lower() != "false":
            yield "actions/checkout leaves the token in the work tree's git configuration"


def _find_permissions(job: _Job) -> Iterator[str]:
    permissions = job.body.get("permissions", job.workflow.get("permissions"))
    if permissions is None:
        yield "no permissions are set, so that the token gets the repository's default, which may be all"
    elif isinstance(permissions, str) and permissions == "write-all":
        yield "the token may write everything"
    elif isinstance(permissions, Mapping):
        broad = sorted(str(name) for name, level in permissions.items() if level == "write" and name not in NEEDED)
        if broad:
            yield f"the token may write what the bot never needs: {', '.join(broad)}"


def _find_missing_permissions(job: _Job) -> Iterator[str]:
    permissions = job.body.get("permissions", job.workflow.get("permissions"))
    if not isinstance(permissions, Mapping) or _mode(job) == "work" or _has_own_token(job):
        return
    missing = [name for name in PUBLISHES if permissions.get(name) != "write"]
    if missing:
        yield f"the token may not write {', '.join(missing)}: what the bot finds can't be published"


def _mode(job: _Job) -> str:
    given = [step.get("with") for step in job.steps if _OURS.search(_text(step.get("uses")))]
    return next((_text(each.get("mode")) for each in given if isinstance(each, Mapping)), "")


def _has_own_token(job: _Job) -> bool:
    """Whether the bot is given other credentials than the workflow's, which the workflow's permissions don't bound."""
    given = [step.get("with") for step in job.steps if _OURS.search(_text(step.get("uses")))]
    return any(isinstance(each, Mapping) and {"github-token", "app-id"} & set(each) for each in given)


def _find_unpinned(job: _Job) -> Iterator[str]:
    for step in job.steps:
        uses = _text(step.get("uses"))
        if uses.startswith("docker://"):
            if not _DIGEST.search(uses):
                yield f"`{uses[:100]}` is not pinned to a digest"
        elif uses and not uses.startswith("./") and not _SHA.search(uses):
            yield f"`{uses[:100]}` is not pinned to a commit: whoever owns its tag can change it"


def _find_concurrency(job: _Job) -> Iterator[str]:
    if not job.events & COMMENT_EVENTS:
        return
    settings = job.body.get("concurrency", job.workflow.get("concurrency"))
    group = _text(settings.get("group")) if isinstance(settings, Mapping) else _text(settings)
    if "concurrency" in job.workflow and "concurrency" not in job.body:
        yield "the group stands before the job's `if:`, so that every comment joins it and can push a run out"
    if not group:
        yield "two requests on one thread can run at once"
    elif "number" not in group:
        yield f"the group `{group[:100]}` has no thread's number: requests on all threads wait for one another"
    if isinstance(settings, Mapping) and str(settings.get("cancel-in-progress", False)).lower() != "false":
        yield "the bot's own comments cancel its own run (cancel-in-progress)"


def _find_missing_filter(job: _Job) -> Iterator[str]:
    if job.events & COMMENT_EVENTS and not _text(job.body.get("if")):
        yield "the job starts for every comment"


def _find_injection(job: _Job) -> Iterator[str]:
    for step in job.steps:
        if found := _UNTRUSTED.search(_text(step.get("run"))):
            yield f"`{found[0][:100]}` is put into a command before the shell reads it: whoever writes it runs code"


_RULES: Final = (
    _Rule(
        "AY001",
        "error",
        "use issue_comment and the other events of docs/action.md; never check out a head where secrets are",
        _find_pwn_request,
        ours_only=False,
    ),
    _Rule("AY002", "warning", "with: persist-credentials: false", _find_credentials),
    _Rule("AY003", "error", "permissions: the least that docs/action.md lists, in the job", _find_permissions),
    _Rule("AY004", "warning", "uses: owner/name@<full commit SHA>  # the version", _find_unpinned),
    _Rule("AY005", "warning", "take `concurrency:` from docs/action.md into the job", _find_concurrency),
    _Rule(
        "AY006", "warning", "if: contains(github.event.comment.body, '@ay') …, see docs/action.md", _find_missing_filter
    ),
    _Rule("AY007", "error", 'hand it over in env:, and use "$NAME" in the command', _find_injection, ours_only=False),
    _Rule(
        "AY008",
        "warning",
        "permissions: contents, issues, pull-requests and statuses: write, in the job that publishes",
        _find_missing_permissions,
    ),
)


# ------------------------------------------------------------------------------------------------ reading YAML


def _events(workflow: _Table) -> frozenset[str]:
    on = workflow.get("on", workflow.get(True))  # YAML 1.1 takes the word `on` for a boolean
    if isinstance(on, str):
        return frozenset({on})
    return frozenset(str(event) for event in on) if isinstance(on, list | Mapping) else frozenset()


def _is_checkout(step: _Table) -> bool:
    return _text(step.get("uses")).startswith("actions/checkout@")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
