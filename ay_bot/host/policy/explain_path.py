"""What a policy says of a path: whether the agent sees the file, and what becomes of a change of it."""

from ay_bot.host.path_policy import Guard, find_git_fault, find_guard, find_path_fault
from ay_bot.host.policy.answers import Answer, Explanation, Verdict, quote_path
from ay_bot.host.policy.source import PolicySource

SEEN, CHANGED = "seen by the agent", "changed by the agent"


def explain_path(path: str, source: PolicySource) -> Explanation:
    """Explain what happens to a file of this name."""
    there = source.is_there(path)
    notes = () if there or not source.checkout else ("HEAD has no such file; this is what would hold for a new one",)
    return Explanation(
        kind="path", subject=path, answers=(_seeing(path, source), _changing(path, source, there=there)), notes=notes
    )


def _seeing(path: str, source: PolicySource) -> Answer:
    for number, rule in enumerate(source.settings.files):
        if rule.read == "deny" and rule.names(path):
            return Answer(
                about=SEEN,
                verdict="hidden",
                rule=f"read: deny for {', '.join(rule.paths)}",
                where=source.place("files", number),
                why=rule.why,
                change=f"remove `read: deny` from rule {number + 1} of `files`",
            )
    change = f"files: [{{paths: [{quote_path(path)}], read: deny}}]"
    return Answer(about=SEEN, verdict="allowed", rule="no rule hides it", where="the default", change=change)


def _changing(path: str, source: PolicySource, *, there: bool) -> Answer:
    if fault := find_git_fault(path) if there else find_path_fault(path):
        refused = f"the path {fault}"
        why = "such a name breaks or deceives git or a file system; the whole change is refused"
        return Answer(about=CHANGED, verdict="refused", rule=refused, where="built-in", why=why)
    guard = find_guard(path, source.paths)
    if guard is None:
        change = f"files: [{{paths: [{quote_path(path)}], write: never}}]"
        return Answer(about=CHANGED, verdict="allowed", rule="no rule guards it", where="the default", change=change)
    verdict, why = _consequence(guard)
    own = guard.kind == "settings"
    where = source.place("files", guard.place) if own else f"built-in rule {guard.pattern}"
    change = f"take the pattern out of rule {guard.place + 1} of `files`" if own else _beyond(guard)
    return Answer(
        about=CHANGED, verdict=verdict, rule=f"{guard.tier}: {guard.reason}", where=where, why=why, change=change
    )


def _consequence(guard: Guard) -> tuple[Verdict, str]:
    if guard.tier == "never":
        return (
            "withheld",
            "the change of this file stays in the box, and the rest goes on; a person changes such a file",
        )
    return "review", "the pull request becomes a draft that names the file"


def _beyond(guard: Guard) -> str:
    return "publishing: {draft: never}" if guard.tier == "review" else ""
