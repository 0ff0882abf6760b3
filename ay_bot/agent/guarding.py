"""The box's policy as the tools meet it: what a call may not do, said at once with the rule and what to do instead."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from ay_bot.agent.shell_lines import NotUnderstood, split_line
from ay_bot.protocol.box_policy import BoxPolicy, GuardedPaths
from ay_bot.protocol.command_rules import CommandPolicy, Judgement, judge_text, judge_words

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

LEAVE = "Nothing was written. Leave it as it is; if the task needs it changed, say so at the end: a person does that."


def find_write_fault(path: str, policy: BoxPolicy) -> str:
    """Say why a path of the workspace may not be written, or nothing where it may."""
    if found := _find(path, policy.closed):
        return f"{path} can't be part of a change: {found.reason} ({found.rule}). {LEAVE}"
    if policy.only and not _compile(policy.only, folded=False).match_file(path):
        return f"{path} is outside of what this task may change: {', '.join(policy.only)}. {LEAVE}"
    if found := _find(path, policy.hidden):
        return f"{path} is kept out of this workspace: {found.reason} ({found.rule}). {LEAVE}"
    return ""


def find_read_fault(path: str, policy: BoxPolicy) -> str:
    """Say that a path is missing because it is kept from the agent, or nothing where that isn't so."""
    if found := _find(path, policy.hidden) or _find(f"{path}/", policy.hidden):  # a directory is missing, too
        why = f"{path} is kept out of this workspace: {found.reason} ({found.rule})."
        return f"{why} Work without it. Tests that need it fail here; they are run again where it is."
    return ""


def find_command_fault(line: str, policy: CommandPolicy) -> str:
    """Say why a shell line may not be run, or nothing where it may."""
    if policy.silent:
        return ""
    judgement = judge_line(line, policy)
    if judgement.decision == "allow":
        return ""
    command = " ".join(word or "…" for word in judgement.words)[:200]
    if judgement.rule is None:
        allowed = ", ".join(rule.shown for rule in policy.rules if rule.decision == "allow") or "none"
        return f"`{command}` was not run: only commands with these first words may be run here: {allowed}"
    rule = policy.rules[judgement.rule]
    why = rule.reason or "the repository's settings forbid it"
    return (
        f"`{command}` was not run: {why} (rule {rule.shown}). Do without it, or say at the end what it was needed for"
    )


def judge_line(line: str, policy: CommandPolicy) -> Judgement:
    """Judge every simple command of a shell line; the strictest decides. What can't be parsed is judged as a whole."""
    try:
        judged = [judge_words(words, policy) for words in split_line(line)]
    except NotUnderstood:
        return judge_text(line, policy)
    return next((one for one in _strictest_first(judged)), Judgement("allow", None, ()))


def _strictest_first(judged: Iterable[Judgement]) -> Iterator[Judgement]:
    yield from sorted(judged, key=lambda one: (one.decision != "forbid", one.rule is None))


def _find(path: str, guarded: tuple[GuardedPaths, ...]) -> GuardedPaths | None:
    folded = path.casefold()
    return next((one for one in guarded if _compile(one.patterns, folded=True).match_file(folded)), None)


@lru_cache(maxsize=64)
def _compile(patterns: tuple[str, ...], *, folded: bool) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(pattern.casefold() if folded else pattern for pattern in patterns)
