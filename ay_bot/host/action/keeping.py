"""Which runs of the Action use the outline's cache that a workflow keeps: all that read no stranger's files."""

from ay_bot.host.github.runner_context import RunnerContext
from ay_bot.host.outline_cache import Kept, choose_place, prepare_place, sweep


def kept_outline(context: RunnerContext, *, foreign: bool = False) -> Kept | None:
    """Return the cache that a run uses; None for one that goes with the run. Raises UsageError for a wrong input.

    A run that works on `foreign` commits, those of a fork, keeps nothing: every later run would meet what its files
    may have made of their reader.
    """
    place = choose_place(context.inputs.cache_directory, context.workspace, context.runner_temp)
    if place is None or foreign or context.inputs.mode == "publish":
        return None
    sweep(prepare_place(place))
    return Kept(place, f"{context.server_url}/{context.repository}".lower())
