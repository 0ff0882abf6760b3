"""What the agent is told of its work: the task, the repository's instructions, the tests, and what it may do."""

from collections.abc import Mapping
from typing import Final

from ay_bot.host.checkout import Checkout
from ay_bot.host.commit_tree import CommitTree
from ay_bot.host.config import Settings
from ay_bot.host.context import Wish
from ay_bot.host.context.planned import MakePlan
from ay_bot.host.findings import Findings
from ay_bot.host.instructions import MOST_BYTES, Instructions, find_instructions, list_deeper
from ay_bot.host.models.edit_format import choose_edit_format
from ay_bot.host.policy.boxes import build_box_policy
from ay_bot.outline.counting import encodings_of
from ay_bot.protocol.conversation import Role
from ay_bot.protocol.layers import BYTES_PER_TOKEN, limit_of, room_in
from ay_bot.protocol.messages import Work
from ay_bot.protocol.model_facts import ModelFacts
from ay_bot.protocol.outputs import MOST_OF_EACH

MANY_FILES: Final = 500
LONGEST_ANSWER: Final = 16_000  # tokens that are kept free for an answer, at most
SPARE: Final = 0.02
LEAST_CONTEXT: Final = 4_000
NEVER_WORK: Final = (
    "__pycache__/", "*.py[cod]", "*.egg-info/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/",
    ".coverage", ".tox/", ".nox/", ".venv/", "node_modules/", ".gradle/", ".DS_Store",
)  # fmt: skip
"""What tools leave behind in a work tree, which is never part of a change unless the repository tracks it."""


def describe_work(
    settings: Settings,
    command: str,
    checkout: Checkout,
    findings: Findings,
    models: Mapping[Role, ModelFacts],
    make_plan: MakePlan,
) -> Work:
    """Return the work of a run; `command` runs the tests, `models` are those that answer."""
    order = findings.order
    main = models.get("main")
    if order.images and main and not main.vision:
        findings.notice(f"`{main.model}` can't see images, as far as is known: it is told their names, kinds and sizes")
    tokens = fit_context(settings.max_context_tokens, main)
    trusted = CommitTree(checkout, order.trusted or checkout.repository.head)
    instructions = instruct(trusted, settings, tokens)
    if instructions.cut:
        size = len(instructions.text.encode())
        findings.notice(f"the instructions ({', '.join(instructions.sources)}) are cut after {size:,} bytes")
    wish = wish_for(order.task.text, tokens, settings.load, main.model if main else "")
    plan = make_plan(wish.model_copy(update={"instructions": instructions.text}))
    return Work(
        task=order.task.text,
        instructions=instructions.text,
        deeper_instructions=_find_deeper(trusted, instructions, checkout),
        test_command=command,
        max_steps=settings.max_steps,
        max_context_tokens=tokens,
        test_timeout=settings.test_timeout,
        images=tuple(image.part for image in order.images),
        models=dict(models),
        ignore=NEVER_WORK,
        mode=order.mode,
        outputs=order.outputs,
        output_limits={**MOST_OF_EACH, **settings.output_limits},
        edit_format=choose_edit_format(settings.edit_format, models, architect=settings.architect),
        native_tools=main.tools if main else True,
        has_stronger=bool(settings.model_pack.stronger),
        review=settings.review,
        architect=settings.architect,
        delegation=settings.delegation == "on" or (settings.delegation == "auto" and len(trusted.paths) >= MANY_FILES),
        policy=build_box_policy(findings.policy, settings.command_policy),
        map=plan.map,
        load=plan.load,
        tokens_per_byte=plan.tokens_per_byte or BYTES_PER_TOKEN**-1,
        layer_rates=plan.layer_rates,
    )


def instruct(trusted: CommitTree, settings: Settings, tokens: int) -> Instructions:
    """Return what a commit says to agents, for a conversation of so many tokens."""
    most = min(MOST_BYTES, limit_of("instructions", tokens) * BYTES_PER_TOKEN)
    return find_instructions(trusted, fallbacks=settings.instruction_files, most_bytes=most)


def wish_for(task: str, tokens: int, load: tuple[str, ...], model: str) -> Wish:
    """Return what a plan is to hold for a conversation of so many tokens."""
    return Wish(
        task=task,
        map_tokens=room_in("map", tokens),
        load=load,
        file_tokens=room_in("files", tokens),
        encodings=encodings_of(model),
    )


def fit_context(wanted: int, model: ModelFacts | None) -> int:
    """Return how long a conversation may get: what is wanted, or what the model takes beside its longest answer."""
    if model is None or not model.context_window:
        return wanted
    window = model.context_window
    answer = min(model.output_limit or LONGEST_ANSWER, LONGEST_ANSWER, window // 4)
    return max(min(wanted, int(window * (1 - SPARE)) - answer), LEAST_CONTEXT)


def _find_deeper(trusted: CommitTree, instructions: Instructions, checkout: Checkout) -> tuple[str, ...]:
    """Return further instruction files, as far as the tree that is worked on has them as the trusted commit does."""
    worked_on = CommitTree(checkout, checkout.repository.head)
    paths = list_deeper(trusted.paths, instructions.sources)
    return tuple(path for path in paths if trusted.identity(path) == worked_on.identity(path))
