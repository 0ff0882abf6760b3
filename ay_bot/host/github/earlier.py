"""What an earlier run for the same request has left: all of it, which is finished without a model, or a no."""

import time
from dataclasses import dataclass

from ay_bot.errors import NotAllowed
from ay_bot.host.config import Publishing
from ay_bot.host.github.authorship import request_of
from ay_bot.host.github.branch_name import branch_name
from ay_bot.host.github.branch_state import made_for
from ay_bot.host.github.exactly_once import Marker, Pause, comment_once
from ay_bot.host.github.follow_up import is_own_pull, judge_follow_up
from ay_bot.host.github.forge import Commit, Forge, Pull
from ay_bot.host.github.new_pull import refuse_for, refuse_over_cap
from ay_bot.host.github.onto_pull import PROOF
from ay_bot.host.github.opening import Opening, find_pull
from ay_bot.host.github.publication import NotPublished, Published
from ay_bot.host.github.publishing_work import published
from ay_bot.host.github.request import Request
from ay_bot.host.github.verified_status import attested, is_verified, set_verified


def find_earlier(
    request: Request, forge: Forge, settings: Publishing, *, run_url: str = "", pause: Pause = time.sleep
) -> Published | NotPublished | None:
    """Return what came of the request already, or why its change can't be published; None: it is to be worked on.

    Asked before anything else is done for a request that writes code. What an earlier run has pushed, and only that
    run could prove, is finished here: its commit says in a trailer what was verified.
    """
    search = _Search(request, forge, settings, run_url, pause)
    found = search.on_pull() if request.thread == "pull_request" else None
    return found or search.on_own_branch() or None


@dataclass(frozen=True)
class _Search:
    request: Request
    forge: Forge
    settings: Publishing
    run_url: str
    pause: Pause

    def on_own_branch(self) -> Published | NotPublished | None:
        pull = find_pull(self.forge, branch_name(self.request))
        if pull is None:
            return refuse_over_cap(self.forge, self.settings) if self.request.thread == "issue" else None
        if refusal := refuse_for(self.forge, pull, None):
            return refusal
        commit = self.forge.commit(pull.head)
        if request_of(commit, self.forge.own_login()) != self.request.key:
            note = f"{pull.head[:12]}, the newest commit of pull request #{pull.number}, is not mine."
            return published(pull, pull.head, created=False, notes=(note,))
        return self._finish(pull, commit)

    def on_pull(self) -> Published | NotPublished | None:
        pull = self.forge.pull(self.request.number)
        if (pull.head_repository or "").lower() != self.forge.repository.lower():
            return None
        own = self.forge.own_login()
        commits = tuple(self.forge.commits(pull.base, pull.head))
        if done := made_for(commits, self.request.key, own):
            return self._finish_onto(pull, done)
        if is_own_pull(self.request, pull.head_branch, own):
            return judge_follow_up(self.request, pull.head_branch, commits, own)
        return None

    def _finish(self, pull: Pull, commit: Commit) -> Published | None:
        """Put on the pull request what is missing; None where the commit doesn't say that it was verified."""
        verdict = attested(commit)
        if verdict is None or is_verified(self.forge, commit.sha):
            return published(pull, commit.sha, created=False) if verdict else None
        notes = Opening(self.forge, self.settings, self.pause).dress(pull)
        notes = (*notes, *self._set_status(commit, verdict))
        return published(pull, commit.sha, created=False, notes=notes)

    def _finish_onto(self, pull: Pull, commit: Commit) -> Published:
        verdict = attested(commit)
        notes: tuple[str, ...] = ()
        if verdict and not is_verified(self.forge, commit.sha):
            marker = Marker(kind=PROOF, key=self.request.key)
            body = f"Added {commit.sha} to this pull request. The tests prove it: {verdict}.\n"
            comment_once(self.forge, pull.number, marker, body, pause=self.pause)
            notes = self._set_status(commit, verdict)
        return published(pull, commit.sha, created=False, notes=notes)

    def _set_status(self, commit: Commit, verdict: str) -> tuple[str, ...]:
        try:
            set_verified(self.forge, commit.sha, verdict, self.run_url, pause=self.pause)
        except NotAllowed as refusal:
            return (f"The status `ay-bot/verified` could not be set: {refusal.message}.",)
        return ()
