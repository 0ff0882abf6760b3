"""Stages 1 and 2: what has the form of an output, whose type is allowed here, in numbers that are allowed."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final

from pydantic import TypeAdapter, ValidationError

from ay_bot.host.outputs.decision import Allowed, Code, Decision, Denied, shown
from ay_bot.host.outputs.policy import OutputContext, OutputPolicy
from ay_bot.host.outputs.texts import texts_of
from ay_bot.host.permissions import WRITE_OUTPUTS
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.outputs import MOST_OUTPUTS, CreatePullRequestOutput, Output

MOST_CHARACTERS: Final = 200_000
_FEWER: Final = "ask for the rest in another request"


def admit(index: int, item: object, policy: OutputPolicy) -> Decision:
    """Stage 1: return the output if it has the form of one and its type is allowed here."""
    try:
        output = _adapter().validate_python(item.model_dump() if isinstance(item, Value) else item)
    except ValidationError as error:
        told = "; ".join(_problem(one["loc"], one["msg"]) for one in error.errors(include_url=False)[:3])
        how = "nothing does: this is the agent's mistake; `@ay retry` lets it try again"
        return Denied(index=index, code=Code.SCHEMA, rule="schema", what=f"it is no output: {told}", how_to_allow=how)
    if output.type not in policy.allowed:
        how = f"add `{output.type}` to `outputs:` in .github/ay-bot.yml"
        what = f"the type `{output.type}` is not allowed in this repository"
        return Denied(index=index, output=output, code=Code.SCHEMA, rule="outputs", what=what, how_to_allow=how)
    if output.type in WRITE_OUTPUTS and not policy.may_write:
        how = 'let somebody with write access ask; with `who: "*"` nothing of this kind is ever allowed'
        what = f"the type `{output.type}` writes, and whoever asked may not"
        return Denied(index=index, output=output, code=Code.SCHEMA, rule="who", what=what, how_to_allow=how)
    return Allowed(index=index, output=output)


def count_items(items: Sequence[object]) -> Denied | None:
    """Stage 2 for what has no form yet: refuse a batch that nobody should read."""
    if len(items) <= MOST_OUTPUTS:
        return None
    return _refuse("outputs", f"there are {len(items)}, and a run may have {MOST_OUTPUTS}", _FEWER)


def limit(outputs: Sequence[Output], policy: OutputPolicy) -> Denied | None:
    """Stage 2: refuse the whole batch if there are too many of a type, or too many words."""
    for kind, count in sorted(Counter(output.type for output in outputs).items()):
        most = policy.most.get(kind, 0)
        if count > most:
            how = f"set `output_limits: {{{kind}: {min(count, MOST_OUTPUTS)}}}` in .github/ay-bot.yml, or {_FEWER}"
            return _refuse("output_limits", f"there are {count} of the type `{kind}`, and a run may have {most}", how)
    length = sum(len(text) for output in outputs for text in texts_of(output))
    if length > MOST_CHARACTERS:
        what = f"they have {length:,} characters, and a run may have {MOST_CHARACTERS:,}"
        return _refuse("length", what, _FEWER)
    return None


def limit_open(output: Output, policy: OutputPolicy, context: OutputContext) -> tuple[str, str] | None:
    """Stage 2 across runs: return why a pull request more is too much, and what would allow it."""
    count, most = len(context.own_pull_requests), policy.max_open_pull_requests
    if not isinstance(output, CreatePullRequestOutput) or count < most:
        return None
    how = f"close one, or set `publishing: {{max_open_pull_requests: {count + 1}}}` in .github/ay-bot.yml"
    return f"{count} pull requests of ay-bot are open, and {most} may be", how


@cache
def _adapter() -> TypeAdapter[Output]:
    return TypeAdapter(Output)


def _problem(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in location)
    return f"{shown(where)}: {shown(message)}" if where else shown(message)


def _refuse(rule: str, what: str, how_to_allow: str) -> Denied:
    return Denied(index=None, code=Code.LIMITS, rule=rule, what=what, how_to_allow=how_to_allow)
