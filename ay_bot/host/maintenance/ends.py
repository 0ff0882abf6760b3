"""How a piece of a chore's work ended, and what that makes of the chore."""

from collections.abc import Sequence

from ay_bot.host.github.publication import NotPublished, Published
from ay_bot.host.maintenance.record import ChoreEnd
from ay_bot.host.report import Result

Piece = tuple[str, ChoreEnd]
"""What one piece of a chore's work was about, and how it ended."""


def conclude(result: Result, outcome: Published | NotPublished | None, key: str) -> ChoreEnd:
    """Return the end of a run of the pipeline, of which `outcome` was published or could not be."""
    end = ChoreEnd(
        outcome="failed",
        reason=result.reason.partition("\n\nhint: ")[0],
        hint=result.reason.partition("\n\nhint: ")[2],
        exit_code=result.exit_code,
        worked=True,
        keys=() if result.status == "error" else (key,),  # which is not the work's fault: it is tried again
        url=result.url,
        branch=result.branch,
        cost=result.usage.cost_usd,
    )
    match outcome:
        case Published(created=created):
            words = f"{result.reason}" if created else f"{result.reason}; the pull request holds this already"
            return end.model_copy(update={"outcome": "published", "reason": words, "hint": "", "exit_code": 0})
        case NotPublished(url=url, branch="") if "/pull/" in url:  # a pull request that a person closed, or made
            return end.model_copy(update={"outcome": "blocked", "exit_code": 0, "keys": (key,)})
        case None if result.status == "verified":  # in the job that hands it over
            return end.model_copy(update={"outcome": "proven"})
        case _ if result.status == "no_change":
            return end.model_copy(update={"outcome": "nothing", "exit_code": 0})
        case _:
            return end


_WORST: Sequence[str] = ("failed", "blocked", "published", "proven", "up_to_date", "nothing")


def join_pieces(pieces: Sequence[Piece]) -> ChoreEnd:
    """Return the end of a chore whose pieces of work ended so: the worst of them, with the reasons of all."""
    if len(pieces) == 1:
        return pieces[0][1]
    ends = [end for _, end in pieces]
    worst = min(ends, key=lambda end: _WORST.index(end.outcome))
    costs = [end.cost for end in ends if end.cost is not None]
    reason = "; ".join(f"{about}: {end.reason or end.outcome}" if about else end.reason for about, end in pieces)
    return worst.model_copy(
        update={
            "reason": reason,
            "worked": any(end.worked for end in ends),
            "keys": tuple(key for end in ends for key in end.keys),
            "url": " ".join(end.url for end in ends if end.url),
            "branch": " ".join(end.branch for end in ends if end.branch),
            "cost": sum(costs) if len(costs) == len(ends) else None,
        }
    )
