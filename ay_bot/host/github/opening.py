"""The pull request of a branch of ours: found, opened, or given a new text, and what is put on it by the settings."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ay_bot.errors import GithubFailed, NotAllowed
from ay_bot.host.config import Publishing
from ay_bot.host.github.branch_name import is_own_branch
from ay_bot.host.github.exactly_once import Pause, find_or_create, is_own, repeat_lost
from ay_bot.host.github.forge import Forge, Pull
from ay_bot.host.github.pull_text import content_in, keys_in
from ay_bot.host.pull_request import PullRequestText


def find_pull(forge: Forge, branch: str) -> Pull | None:
    """Return the pull request of a branch: the open one, else the newest."""
    pulls = [pull for pull in forge.pulls(head=branch) if pull.head_branch == branch]
    pulls = [pull for pull in pulls if (pull.head_repository or forge.repository).lower() == forge.repository.lower()]
    return next((pull for pull in pulls if pull.is_open), pulls[0] if pulls else None)


def list_own_open(forge: Forge) -> tuple[Pull, ...]:
    """Return the open pull requests that we made on branches of ours."""
    own = forge.own_login()
    return tuple(
        pull for pull in forge.pulls(state="open") if is_own(pull.author.login, own) and is_own_branch(pull.head_branch)
    )


@dataclass(frozen=True)
class Opening:
    """Opens pull requests as the settings say."""

    forge: Forge
    settings: Publishing
    pause: Pause = time.sleep

    def open(self, text: PullRequestText, branch: str, base_branch: str) -> tuple[Pull, bool, tuple[str, ...]]:
        """Return the pull request, whether it was opened now, and notes."""
        draft = wants_draft(text, self.settings)
        try:
            return (*self._open(text, branch, base_branch, draft=draft), ())
        except NotAllowed:
            raise
        except GithubFailed as refusal:
            # Private repositories of some plans have no drafts.
            if not draft or "draft" not in refusal.message.lower():
                raise
        pull, created = self._open(text, branch, base_branch, draft=False)
        return pull, created, ("It should be a draft, but this repository has none; please look at it as at one.",)

    def refresh(self, pull: Pull, text: PullRequestText) -> None:
        """Give an open pull request of ours a new title and body, if it holds another change than they tell of."""
        if content_in(pull.body) == content_in(text.body) and keys_in(text.body) <= keys_in(pull.body):
            return
        repeat_lost(lambda: self.forge.edit_pull(pull.number, title=text.title, body=text.body), pause=self.pause)

    def dress(self, pull: Pull) -> tuple[str, ...]:
        """Put labels, reviewers and assignees on it; what can't be put is told in notes."""
        number, settings, forge = pull.number, self.settings, self.forge
        labels = [label for label in settings.labels if label not in pull.labels]
        reviewers = [name for name in settings.reviewers if not is_own(name, pull.author.login)]
        steps: list[tuple[str, Sequence[str], Callable[[], None]]] = [
            ("labels", labels, lambda: forge.add_labels(number, labels)),
            ("reviewers", reviewers, lambda: forge.request_reviewers(number, reviewers, ())),
            (
                "team reviewers",
                settings.team_reviewers,
                lambda: forge.request_reviewers(number, (), settings.team_reviewers),
            ),
            ("assignees", settings.assignees, lambda: forge.add_assignees(number, settings.assignees)),
        ]
        return tuple(note for what, names, step in steps if names and (note := self._try(what, names, step)))

    def _open(self, text: PullRequestText, branch: str, base_branch: str, *, draft: bool) -> tuple[Pull, bool]:
        def find() -> Pull | None:
            found = find_pull(self.forge, branch)
            return found if found and found.is_open else None

        def create() -> Pull:
            return self.forge.create_pull(title=text.title, body=text.body, head=branch, base=base_branch, draft=draft)

        return find_or_create(find, create, look_first=False, pause=self.pause)

    def _try(self, what: str, names: Sequence[str], step: Callable[[], None]) -> str:
        try:
            repeat_lost(step, pause=self.pause)
        except GithubFailed as refusal:
            return f"The {what} {', '.join(names)} could not be put on it: {refusal.message}."
        return ""


def wants_draft(text: PullRequestText, settings: Publishing) -> bool:
    """Whether a pull request is to be a draft."""
    return settings.draft == "always" or (settings.draft == "auto" and text.draft)
