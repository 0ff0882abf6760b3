"""The plan of a run's context, where the repository is large enough to want one: it is begun early, and waited for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

from ay_bot.errors import AyBotError
from ay_bot.host.boxes import Boxes
from ay_bot.host.checkout import Checkout
from ay_bot.host.config import Settings
from ay_bot.host.context import Place, Plan, Wish, cache_directory, name_place
from ay_bot.host.findings import Findings
from ay_bot.host.policy.boxes import choose_tree
from ay_bot.outline.counting import encodings_of

MAP_FROM: Final = 200
"""Files. A smaller repository is looked through by the agent faster than a map of it is paid for."""
SECONDS: Final = 120.0

MakePlan = Callable[[Wish], Plan]


@contextmanager
def planned(
    settings: Settings, checkout: Checkout, findings: Findings, boxes: Boxes, environment: Mapping[str, str]
) -> Iterator[MakePlan]:
    """Begin to read the repository if the settings want it, and yield what makes the plan of it.

    Where they don't, what a run begins with is counted all the same if the model's vocabulary is here.
    Work that was done elsewhere has no agent that could be told of a plan.
    """
    head = checkout.repository.head
    mapped = settings.repository_map == "on" or (
        settings.repository_map == "auto" and len(checkout.list_files(head)) >= MAP_FROM
    )
    outlined = mapped or bool(settings.load)
    encodings = encodings_of(settings.main_model)
    if findings.order.given is not None or not (outlined or encodings):
        yield lambda _: Plan()
        return
    from ay_bot.host.context.process import planning

    kept = findings.order.kept
    place = Place(
        git_dir=checkout.git_dir,
        commit=head,
        tree=choose_tree(checkout, head, findings.policy),
        cache=cache_directory(kept.directory if kept else None, environment),
        name=name_place(Path("/", kept.repository) if kept else checkout.repository.common_dir),
        outlined=outlined,
        encodings=encodings,
    )
    with planning(place, environment, SECONDS) as planner:

        def make(wish: Wish) -> Plan:
            if not mapped:
                wish = wish.model_copy(update={"map_tokens": 0})
            try:
                with findings.log.phase("context", "reading the repository") if outlined else nullcontext():
                    plan = planner.plan(wish, boxes.check)
            except AyBotError as error:
                boxes.check()
                if outlined:
                    findings.notice(f"the agent begins without a map of the repository: {error.message}")
                return Plan()
            if wish.load and not plan.asked_for:
                findings.notice(f"`load` names no file of the repository: {', '.join(wish.load)}")
            elif len(plan.load) < plan.asked_for:
                findings.notice(f"the agent begins with {len(plan.load)} of {plan.asked_for} files: no more text fits")
            return plan

        yield make
