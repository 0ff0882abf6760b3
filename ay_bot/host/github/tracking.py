"""The one comment in which people follow a request: made or taken over, kept up to date beside the run, and ended.

Progress is shown by a thread of its own, so that the run never waits for GitHub; what goes wrong there is noted and
changes nothing. The forge belongs to the tracker while it is open: hand in one that nobody else uses.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from ay_bot.errors import AyBotError, GithubFailed, NotAllowed
from ay_bot.host.github.api_failures import Missing
from ay_bot.host.github.exactly_once import Pause
from ay_bot.host.github.forge import Forge
from ay_bot.host.github.pacing import Edits, Pace
from ay_bot.host.github.plan import publish_plan
from ay_bot.host.github.thread import HiddenText
from ay_bot.host.github.tracking_comment import open_comment
from ay_bot.host.github.tracking_events import after_result, heard, moved
from ay_bot.host.github.tracking_marker import FINAL, State, may_resume
from ay_bot.host.github.tracking_text import Story, render_comment
from ay_bot.host.report import Result
from ay_bot.protocol.events import Record

FINAL_WAITS = (1.0, 3.0, 8.0)
"""Seconds between the tries of the last edit."""


class Tracker:
    """Owns a tracking comment while a run lasts. It is a listener of the run's events."""

    def __init__(
        self,
        forge: Forge,
        number: int,
        story: Story,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Pause = time.sleep,
    ) -> None:
        self.problems: list[str] = []
        """What went wrong with showing progress."""
        self._forge, self._number, self._story = forge, number, story
        self._clock, self._pause = clock, pause
        self._started = clock()
        opened = open_comment(forge, number, story, pause=pause)
        self.comment, self.previous, self.known_stops = opened.comment, opened.previous, opened.stops
        shown = story if not opened.previous else story.model_copy(update={"run": ""})
        self._edits = Edits(pace or Pace(), shown, self._started)
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._show_progress, name="tracking", daemon=True)

    @property
    def settled(self) -> bool:
        """Whether this request was carried out or refused before: nothing is to be done, and nothing is edited."""
        return self.previous is not None and not may_resume(self.previous, self._story.run)

    @property
    def story(self) -> Story:
        """What is known by now."""
        with self._changed:
            return self._story

    def __enter__(self) -> Self:
        """Begin to show progress."""
        if not self.settled:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """End; a request that has no final state by now failed."""
        if self.settled or self.story.state in FINAL:
            self._stop()
        elif isinstance(error, AyBotError):
            self.end("failed", error.message, error.hint)
        elif kind and issubclass(kind, KeyboardInterrupt):
            self.end("cancelled", "the run was interrupted")
        else:
            self.end("failed", "the run ended without a result, which is a bug in ay-bot" if kind else "no result")

    # ------------------------------------------------------------------ what is told

    def __call__(self, record: Record) -> None:
        """Hear an event of the run."""
        self._tell(lambda story: heard(story, record))

    def caps(self, max_cost: float, max_tokens: int) -> None:
        """Tell what the run may spend."""
        self._tell(lambda story: story.model_copy(update={"max_cost": max_cost, "max_tokens": max_tokens}))

    def hidden(self, found: Sequence[HiddenText], left_out: int = 0) -> None:
        """Tell what was hidden on the thread, and how many comments came too late."""
        self._tell(lambda story: story.model_copy(update={"hidden": tuple(found), "left_out": left_out}))

    def blocked(self, lines: Sequence[str]) -> None:
        """Tell what was asked for and not done."""
        self._tell(lambda story: story.model_copy(update={"blocked": (*story.blocked, *lines)}))

    def propose(self, plan: str) -> str:
        """Show a plan for approval and return its hash."""
        shown, digest = publish_plan(plan)
        self._tell(lambda story: story.model_copy(update={"proposal": shown, "proposal_hash": digest}))
        return digest

    def step(self, state: State) -> None:
        """Tell which state comes next."""
        self._tell(lambda story: moved(story, state))

    # ------------------------------------------------------------------ how it ends

    def finish(self, result: Result) -> bool:
        """Tell the result and return whether people can see it; the newest story wins."""
        self._tell(lambda story: after_result(story, result))
        return self._end()

    def end(self, state: State, reason: str, hint: str = "", url: str = "") -> bool:
        """End without a result, in a final state; `url` is of a pull request that was there already."""
        told = {"reason": reason, "hint": hint, "url": url}
        self._tell(lambda story: moved(story, state).model_copy(update=told))
        return self._end()

    def _tell(self, change: Callable[[Story], Story]) -> None:
        with self._changed:
            if self._story.state not in FINAL:
                self._story = change(self._story)
                self._changed.notify_all()

    def _show_progress(self) -> None:
        while (story := self._next_story()) is not None:
            try:
                self._forge.edit_comment(self.comment.id, self._render(story))
            except GithubFailed as error:
                self.problems.append(f"progress could not be shown: {error.message}")
                self._edits.lost(self._clock())
                if isinstance(error, NotAllowed):
                    return
            else:
                self._edits.showed(story, self._clock())

    def _next_story(self) -> Story | None:
        with self._changed:
            while not self._ending:
                wait = self._edits.seconds_until(self._story, self._clock())
                if wait == 0 and self._story.state not in FINAL:
                    return self._story
                self._changed.wait(wait or None)
            return None

    def _stop(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _end(self) -> bool:
        self._stop()
        story = self.story
        wait = self._edits.seconds_until_last(story, self._clock())
        if wait is None or self.settled:
            return True
        self._pause(wait)
        return self._show_last(story)

    def _show_last(self, story: Story) -> bool:
        for seconds in (*FINAL_WAITS, 0.0):
            try:
                self._forge.edit_comment(self.comment.id, self._render(story))
            except GithubFailed as error:
                self.problems.append(f"the end could not be shown: {error.message}")
                self._edits.lost(self._clock())
                if isinstance(error, NotAllowed):
                    return False
                if isinstance(error, Missing):
                    break
                self._pause(seconds)
            else:
                self._edits.showed(story, self._clock())
                return True
        return self._show_anew(story)

    def _show_anew(self, story: Story) -> bool:
        """A comment that was deleted, or can't be edited for whatever reason, is found or made again."""
        try:
            again = open_comment(self._forge, self._number, story, pause=self._pause)
        except GithubFailed as error:
            self.problems.append(f"the end could not be shown: {error.message}")
            return False
        self.comment = again.comment
        return again.previous is None or again.previous.state == story.state

    def _render(self, story: Story) -> str:
        return render_comment(story, self._clock() - self._started)
