"""When a chore is due: a pure function of its schedule, its last time, and the clock.

`H` in a schedule stands for a value that is the chore's own and always the same, by its repository and name: so not
all repositories of an organisation begin in the same minute.
"""

from datetime import UTC, datetime


def identify(repository: str, name: str) -> bytes:
    """Return what the places of `H` in a chore's schedule are made from."""
    return f"{repository.lower()}\0{name}".encode()


def next_time(schedule: str, after: datetime, identity: bytes) -> datetime | None:
    """Return the first time of a schedule after a moment, in UTC; None for a day that no calendar has."""
    from croniter import CroniterBadDateError, croniter

    try:
        found: datetime = croniter(schedule, after.astimezone(UTC), hash_id=identity).get_next(datetime)
    except CroniterBadDateError:
        return None
    return found


def is_due(schedule: str | None, last: datetime | None, now: datetime, identity: bytes) -> bool:
    """Whether a chore that was last looked at then is due: never, if it has no schedule; at once, if it never was.

    However many times of the schedule have passed, it is due once.
    """
    if schedule is None:
        return False
    if last is None or last > now:  # a time to come was never written by us
        return True
    coming = next_time(schedule, last, identity)
    return coming is not None and coming <= now
