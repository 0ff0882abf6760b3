"""What a chore finds to work on: the default branch, or a dependency bot's pull request; or nothing, which ends it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ay_bot.host.config import Chore
from ay_bot.host.github.forge import CheckRun, Forge, Pull
from ay_bot.host.maintenance.branches import branch_for
from ay_bot.host.maintenance.chores import build_chore_task, needs_command
from ay_bot.host.maintenance.dependency_pulls import find_red_pulls
from ay_bot.host.maintenance.ecosystem import find_linters, find_updaters
from ay_bot.host.maintenance.forge_checks import find_red
from ay_bot.host.maintenance.ground import Ground
from ay_bot.host.maintenance.record import ChoreEnd
from ay_bot.host.maintenance.standing import Target
from ay_bot.host.sanitize_blocks import new_nonce
from ay_bot.host.task import Task


@dataclass(frozen=True)
class Assignment:
    """One piece of work: where it goes, and what tells an agent what to do."""

    target: Target
    commands: Sequence[str] = ()
    red: Sequence[CheckRun] = ()
    pull: Pull | None = None
    older: str = ""
    """Of a pull request, the commit that it began at."""

    @property
    def about(self) -> str:
        """Return what tells this from the chore's other pieces of work."""
        return f"#{self.pull.number}" if self.pull else ""

    def task(self) -> Task:
        """Return the agent's task."""
        target = self.target
        diff = target.clone.diff(self.older, target.base) if self.pull and self.older else ""
        return build_chore_task(
            target.chore, new_nonce(), commands=self.commands, red=self.red, pull=self.pull, diff=diff
        )


def find_work(ground: Ground, chore: Chore) -> Iterator[Assignment | ChoreEnd]:
    """Yield what there is to do, or one end that says why there is nothing."""
    if "create_pull_request" not in ground.settings.outputs:
        reason = "`create_pull_request` is not among the `outputs` in .github/ay-bot.yml"
        yield ChoreEnd(outcome="blocked", reason=reason)
    elif chore.kind == "dependency_pull_requests":
        yield from _find_pulls(ground, chore)
    else:
        yield _look_at_default_branch(ground, chore)


def _look_at_default_branch(ground: Ground, chore: Chore) -> Assignment | ChoreEnd:
    branch = ground.facts.default_branch
    red = find_red(ground.connection.forge(), ground.base) if chore.kind == "red_default_branch" else ()
    if chore.kind == "red_default_branch" and not red:
        return ChoreEnd(outcome="nothing", reason=f"no check of {branch} has failed")
    commands = _find_commands(ground, chore)
    if needs_command(chore) and not commands:
        what = f"no command for {chore.kind} was found by the files of {branch}"
        return ChoreEnd(outcome="blocked", reason=what, hint="give one as the chore's `command:`")
    target = Target(chore, branch_for(chore.name), ground.base, branch, ground.clone)
    return Assignment(target, commands, red)


def _find_commands(ground: Ground, chore: Chore) -> Sequence[str]:
    if chore.command:
        return (chore.command,)
    if chore.kind not in ("lint", "dependencies"):
        return ()
    files = ground.clone.files(ground.base)
    return find_linters(files) if chore.kind == "lint" else find_updaters(files)


def _find_pulls(ground: Ground, chore: Chore) -> Iterator[Assignment | ChoreEnd]:
    forge, found = ground.connection.forge(), False
    for pull, red in find_red_pulls(forge):
        found = True
        older = _find_older(forge, pull)
        clone = ground.clone_at(pull.head, [ground.trusted, older])
        target = Target(chore, branch_for(chore.name, pull.number), pull.head, pull.head_branch, clone)
        commands = (chore.command,) if chore.command else ()
        yield Assignment(target, commands, red, pull, older)
    if not found:
        yield ChoreEnd(outcome="nothing", reason="no pull request of a dependency bot is red")


def _find_older(forge: Forge, pull: Pull) -> str:
    """Return the commit that a pull request began at; its base branch may have gone on since."""
    commits = forge.commits(pull.base, pull.head)
    own = {commit.sha for commit in commits}
    begins = {parent for commit in commits for parent in commit.parents if parent not in own}
    return begins.pop() if len(begins) == 1 else pull.base
