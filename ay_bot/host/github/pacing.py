"""When a tracking comment may be edited: not too often, only on change, and never with anything but the newest."""

from dataclasses import dataclass

from ay_bot.host.github.tracking_text import Story


@dataclass(frozen=True)
class Pace:
    """Seconds between two edits, and between edits for nothing but numbers that always change."""

    spacing: float = 10.0
    heartbeat: float = 60.0


class Edits:
    """Owns what was shown last, and when. `now` is always the caller's clock."""

    def __init__(self, pace: Pace, shown: Story, now: float) -> None:
        self._pace = pace
        self._shown: Story | None = shown
        self._since = now
        self._edited: float | None = None

    def seconds_until(self, story: Story, now: float) -> float | None:
        """Return how long to wait before `story` may be shown, None where it says nothing new."""
        if story == self._shown:
            return None
        numbers_only = self._shown is not None and story.gist == self._shown.gist
        return max(0.0, self._since + (self._pace.heartbeat if numbers_only else self._pace.spacing) - now)

    def seconds_until_last(self, story: Story, now: float) -> float | None:
        """Return the same for the last word, which waits for no heartbeat and comes right after the first."""
        if story == self._shown:
            return None
        return 0.0 if self._edited is None else max(0.0, self._edited + self._pace.spacing - now)

    def showed(self, story: Story, now: float) -> None:
        """Note that an edit was sent."""
        self._shown, self._since, self._edited = story, now, now

    def lost(self, now: float) -> None:
        """Note that an edit failed: nobody knows what is shown."""
        self._shown, self._since, self._edited = None, now, now
