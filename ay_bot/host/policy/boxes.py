"""The policy of a run as the agent's box gets it: data for its tools, and a tree without what it may not see."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ay_bot.host.checkout import Checkout
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.policy.rules import FileRule
from ay_bot.host.tree_stream import TreeChange
from ay_bot.protocol.box_policy import BoxPolicy, GuardedPaths
from ay_bot.protocol.command_rules import CommandPolicy

_FILE = re.compile(r"^(?=diff --git )", re.MULTILINE)


def build_box_policy(policy: PathPolicy, commands: CommandPolicy) -> BoxPolicy:
    """Return what the tools in the box need to know."""
    hidden = tuple(_own(policy.rules, hidden=True))
    return BoxPolicy(
        closed=(*_built_in(policy.never), *_own(policy.rules, hidden=False)),
        hidden=hidden,
        only=policy.only,
        commands=commands,
    )


def choose_archive(checkout: Checkout, whole: Path, policy: PathPolicy) -> Path:
    """Return a tar of the tree that the agent sees: `whole`, or one beside it without what is kept from the agent."""
    head = checkout.repository.head
    seen = choose_tree(checkout, head, policy)
    if seen == head:
        return whole
    archive = whole.with_name("seen.tar")
    checkout.archive(seen, archive)
    return archive


def choose_tree(checkout: Checkout, revision: str, policy: PathPolicy) -> str:
    """Return a commit or tree as it is, or the tree of it without what is kept from the agent."""
    files = checkout.list_files(revision) if policy.hides else {}
    hidden = [TreeChange(path, None) for path in files if is_hidden(path.decode("utf-8", "replace"), policy)]
    return checkout.write_tree(revision, hidden) if hidden else revision


def is_hidden(path: str, policy: PathPolicy) -> bool:
    """Whether the agent may not see a file."""
    return any(rule.read == "deny" and rule.names(path) for rule in policy.rules)


def hide_files(diff: str, rules: Sequence[FileRule]) -> str:
    """Return a diff of git's without the files that are kept from the agent."""
    policy = PathPolicy(rules=tuple(rules))
    if not policy.hides:
        return diff
    files = _FILE.split(diff)
    return "".join(part for part in files if not part.startswith("diff --git ") or not _names_hidden(part, policy))


def _names_hidden(part: str, policy: PathPolicy) -> bool:
    # Without renames a header names one path twice: `a/PATH b/PATH`. A quoted one is taken for hidden if in doubt.
    header = part.partition("\n")[0].removeprefix("diff --git ")
    first, second = header[: len(header) // 2], header[len(header) // 2 + 1 :]
    if header.startswith('"') or first.removeprefix("a/") != second.removeprefix("b/"):
        return True
    return is_hidden(first.removeprefix("a/"), policy)


def _own(rules: Sequence[FileRule], *, hidden: bool) -> Iterator[GuardedPaths]:
    for number, rule in enumerate(rules, start=1):
        if rule.tier == "never" and (rule.read == "deny") is hidden:
            yield GuardedPaths(patterns=rule.paths, reason=rule.why, rule=f"rule {number} of `files` in the settings")


def _built_in(rules: Sequence[tuple[str, str]]) -> Iterator[GuardedPaths]:
    by_reason: dict[str, list[str]] = {}
    for pattern, reason in rules:
        by_reason.setdefault(reason, []).extend(_as_in_gitignore(pattern))
    for reason, patterns in by_reason.items():
        yield GuardedPaths(patterns=tuple(patterns), reason=reason, rule="a rule for every repository")


def _as_in_gitignore(pattern: str) -> tuple[str, ...]:
    """A name means a file alone there, and a directory's children are named by the directory."""
    if pattern.endswith("/"):
        return (pattern if "/" not in pattern[:-1] else f"**/{pattern}",)
    name = f"**/{pattern}" if "/" in pattern else pattern
    return (name, f"!{name}/")
