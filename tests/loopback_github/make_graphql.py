"""Cuts GitHub's GraphQL schema down to the types that the bot's calls meet."""

from dataclasses import replace
from typing import Any

TYPES = {
    "Query": ("viewer", "repository", "node", "nodes", "rateLimit"),
    "Mutation": ("createCommitOnBranch", "addReaction"),
    "User": (), "Bot": (), "Mannequin": (), "Organization": (), "EnterpriseUserAccount": (), "Actor": (), "Node": (),
    "Repository": (), "RepositoryOwner": (), "Issue": (), "PullRequest": (), "IssueComment": (), "IssueOrPullRequest": (),
    "IssueCommentConnection": (), "PullRequestReview": (), "PullRequestReviewConnection": (), "PullRequestReviewComment": (),
    "PullRequestReviewCommentConnection": (), "PullRequestReviewThread": (), "PullRequestReviewThreadConnection": (),
    "Comment": (), "PageInfo": (), "Ref": (), "GitObject": (), "Commit": (), "GitActor": (), "Tree": (),
    "CreateCommitOnBranchPayload": (), "LabelConnection": (), "Label": (), "RateLimit": (), "AddReactionPayload": (), "Reaction": (),
    "Reactable": (), "GitSignature": (),
}  # fmt: skip


def slim_schema(sdl: str, source: str) -> str:
    """Keep the types above, the fields that lead to them or to scalars, and the inputs of those fields."""
    from graphql import parse, print_ast

    known: dict[str, Any] = {
        d.name.value: d for d in parse(sdl, no_location=True).definitions if getattr(d, "name", None)
    }
    plain = {n for n, d in known.items() if type(d).__name__.startswith(("Scalar", "Enum"))}
    plain |= {"String", "Int", "Float", "Boolean", "ID"}
    kept = [slim_type(known[name], plain, TYPES[name]) for name in sorted(TYPES)]
    fields = [f for node in kept for f in getattr(node, "fields", None) or ()]
    inputs = follow(
        known, {named(a.type) for f in fields for a in f.arguments or ()} | {named(f.type) for f in fields} - set(TYPES)
    )
    parts = kept + [known[name] for name in sorted(inputs)]
    note = f"# From {source}, copyright GitHub and contributors, MIT License\n"
    return note + "\n\n".join(print_ast(bare(part)) for part in parts)


def slim_type(node: Any, plain: set[str], only: tuple[str, ...]) -> Any:
    if hasattr(node, "types"):
        return replace(node, types=tuple(t for t in node.types if named(t) in TYPES))
    fields = tuple(
        f for f in node.fields or () if named(f.type) in plain | set(TYPES) and (not only or f.name.value in only)
    )
    return replace(node, interfaces=tuple(i for i in node.interfaces or () if named(i) in TYPES), fields=fields)


def named(kind: Any) -> str:
    while not hasattr(kind, "name"):
        kind = kind.type
    return str(kind.name.value)


def follow(known: dict[str, Any], names: set[str]) -> set[str]:
    """Return the input types, enumerations and scalars, and what those hold."""
    found, todo = set[str](), sorted(names)
    while todo:
        name = todo.pop()
        node = known.get(name)
        if name in found or node is None or not type(node).__name__.startswith(("Input", "Enum", "Scalar")):
            continue
        found.add(name)
        todo += [named(f.type) for f in getattr(node, "fields", None) or ()]
    return found


def bare(node: Any) -> Any:
    """Take descriptions and directives off."""
    inner: dict[str, Any] = {}
    for key in ("fields", "values", "arguments"):
        if getattr(node, key, None):
            inner[key] = tuple(bare(part) for part in getattr(node, key))
    return replace(node, description=None, directives=(), **inner)
