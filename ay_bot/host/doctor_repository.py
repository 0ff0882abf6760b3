"""A look at a repository as the bot will meet it: its workflows, its configuration file, the model's key, the token."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import AyBotError, UsageError
from ay_bot.host.config import CONFIG_FILE, Overrides, Settings
from ay_bot.host.init_names import key_of
from ay_bot.host.own_source import UNKNOWN
from ay_bot.host.settings_file import load_settings
from ay_bot.host.workflow_lint import WorkflowFinding, lint_workflow
from ay_bot.protocol.conversation import Value

WORKFLOWS: Final = Path(".github") / "workflows"
MOST_BYTES: Final = 1024 * 1024
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "azure": ("AZURE_API_KEY",),
    "bedrock": ("AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "ollama": (),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "vertex_ai": ("GOOGLE_APPLICATION_CREDENTIALS",),
    "xai": ("XAI_API_KEY",),
}
"""The variables, one of which a provider wants; others are asked for by the gateway itself."""


class Advice(Value):
    """Something that keeps the bot from working well, or at all, and what to do about it."""

    about: str
    serious: bool
    problem: str
    fix: str


class RepositoryState(Value):
    """What was found in one repository, and, where a token was there, on GitHub."""

    path: str
    workflows: int
    findings: tuple[WorkflowFinding, ...] = ()
    advice: tuple[Advice, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether nothing serious was found."""
        return not any(each.serious for each in self.advice) and not any(
            finding.severity == "error" for finding in self.findings
        )


def examine_repository(path: Path, environment: Mapping[str, str]) -> RepositoryState:
    """Look at a work tree, and with GITHUB_REPOSITORY and a token at the repository on GitHub."""
    path = _top_of(path)
    files = sorted(file for file in (path / WORKFLOWS).glob("*.y*ml") if file.is_file())
    findings = [finding for file in files for finding in _lint(path, file)]
    advice = [*_advise_on_workflows(files), *_advise_on_settings(path, environment), *_advise_on_github(environment)]
    return RepositoryState(path=str(path), workflows=len(files), findings=tuple(findings), advice=tuple(advice))


def _top_of(path: Path) -> Path:
    """Return the work tree that a directory lies in, where there is one."""
    return next((each for each in (path, *path.resolve().parents) if (each / ".git").exists()), path)


def _lint(path: Path, file: Path) -> tuple[WorkflowFinding, ...]:
    with file.open("rb") as source:
        return lint_workflow(str(file.relative_to(path)), source.read(MOST_BYTES))


def _advise_on_workflows(files: list[Path]) -> Iterator[Advice]:
    for file in files:
        if UNKNOWN.encode() in file.read_bytes()[:MOST_BYTES]:
            yield Advice(
                about="workflow",
                serious=True,
                problem=f"{file.name} names no Action that is there: {UNKNOWN}",
                fix="write the Action's repository at a full commit, or say `ay-bot init --action`",
            )
    if not any(b"ay-bot" in file.read_bytes()[:MOST_BYTES] for file in files):
        yield Advice(
            about="workflow",
            serious=False,
            problem="no workflow starts the bot",
            fix="`ay-bot init` writes one, and says what to do next",
        )


def _advise_on_settings(path: Path, environment: Mapping[str, str]) -> Iterator[Advice]:
    file = path / CONFIG_FILE
    try:
        settings = load_settings(file.read_bytes() if file.is_file() else None, Overrides(), needs_model=False)
    except UsageError as error:
        for problem in error.message.splitlines():
            yield Advice(about="configuration", serious=True, problem=problem, fix=error.hint)
        return
    yield from _advise_on_model(settings, environment)


def _advise_on_model(settings: Settings, environment: Mapping[str, str]) -> Iterator[Advice]:
    model = settings.main_model or environment.get("INPUT_MODEL", "")
    if not model:
        yield Advice(
            about="model",
            serious=False,
            problem="no model is set",
            fix=f"`model: provider/name` in {CONFIG_FILE}, or the Action's input `model`",
        )
        return
    provider = model.partition("/")[0].lower()
    wanted = KEYS.get(provider)
    wanted = wanted and tuple(dict.fromkeys((*wanted, key_of(model))))
    if wanted and not any(environment.get(name) for name in wanted):
        yield Advice(
            about="model",
            serious=False,
            problem=f"`{model[:100]}` needs {' or '.join(wanted)}, which is not set here",
            fix=f"export it, or in a workflow: env: {wanted[0]}: ${{{{ secrets.{wanted[0]} }}}}",
        )


def _advise_on_github(environment: Mapping[str, str]) -> Iterator[Advice]:
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not token or "/" not in repository:
        yield Advice(
            about="token",
            serious=False,
            problem="GitHub was not asked: GITHUB_TOKEN and GITHUB_REPOSITORY are not both set here",
            fix="set both to have the token's rights looked at, GITHUB_REPOSITORY to OWNER/NAME",
        )
        return
    from ay_bot.host.github.api import open_forge
    from ay_bot.host.github.credentials import Token

    api_url = environment.get("GITHUB_API_URL", "https://api.github.com")
    try:
        with open_forge(
            repository, Token.of(token), api_url=api_url, graphql_url=environment.get("GITHUB_GRAPHQL_URL", "")
        ) as forge:
            facts = forge.facts()
            if not facts.can_push:
                yield Advice(
                    about="token",
                    serious=False,
                    problem=f"the token may not write to {repository}",
                    fix="permissions: contents, issues, pull-requests and statuses: write, in the job that publishes",
                )
            forge.issues()
            forge.pulls(state="open")
            yield from advise_on_scopes(forge.scopes, private=facts.private)
    except AyBotError as error:
        yield Advice(about="token", serious=True, problem=error.message, fix=error.hint)


def advise_on_scopes(scopes: str | None, *, private: bool) -> Iterator[Advice]:
    """Look at the scopes of a person's classic token, as GitHub tells them with each reply."""
    if scopes is None:
        return
    has = {scope.strip() for scope in scopes.split(",") if scope.strip()}
    needed = {"repo"} if private else {"repo", "public_repo"}
    if not has & needed:
        yield Advice(
            about="token",
            serious=False,
            problem=f"the token has the scopes {', '.join(sorted(has)) or 'none'}, and not `{min(needed, key=len)}`",
            fix="better: a token for this repository alone, with contents, issues and pull requests: write",
        )
    if more := sorted(has & {"admin:org", "delete_repo", "admin:repo_hook", "workflow", "write:packages"}):
        yield Advice(
            about="token",
            serious=False,
            problem=f"the token may do what the bot never needs: {', '.join(more)}",
            fix="make a token for this repository alone, with contents, issues and pull requests: write",
        )
