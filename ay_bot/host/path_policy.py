"""Which paths may leave the box: what a path must look like, and how well the file that it names is guarded."""

import re
import unicodedata
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from ay_bot.host.policy.rules import FileRule, Tier, compile_patterns
from ay_bot.host.protected_paths import NEVER, REVIEW
from ay_bot.protocol.conversation import Value

MIB = 1024 * 1024
LONGEST_PATH = 1000
LONGEST_COMPONENT = 255
DEEPEST = 40
OUTSIDE = "outside of the paths that this task may change"

_NOT_PORTABLE = '\\:*?"<>|'
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .].*)?", re.IGNORECASE)
_SHORT_NAME = re.compile(r"\.?gi[a-z0-9]{0,6}~[0-9]+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DOTLESS_I = "\N{LATIN SMALL LETTER DOTLESS I}"


class PathPolicy(Value):
    """What a change may amount to. Sizes are bytes; `never` and `review` are lists of (pattern, rule).

    More than `deletions` percent of the base's files gone or empty, if they are `many` at least, alarm people. Where
    `only` holds patterns, as in .gitignore, nothing else may change. `rules` are the repository's own, which only add.
    """

    files: int = 500
    file_size: int = 2 * MIB
    total_size: int = 8 * MIB
    deletions: int = 20
    many: int = 5
    never: tuple[tuple[str, str], ...] = NEVER
    review: tuple[tuple[str, str], ...] = REVIEW
    only: tuple[str, ...] = ()
    rules: tuple[FileRule, ...] = ()

    @property
    def hides(self) -> bool:
        """Whether there are files that the agent may not see."""
        return any(rule.read == "deny" for rule in self.rules)


class Protection(NamedTuple):
    """How a path is guarded, and by which rule."""

    tier: Tier
    rule: str


class Guard(NamedTuple):
    """The rule that decides on a path: of which kind, its place there, and what it says."""

    tier: Tier
    reason: str
    kind: Literal["built-in", "settings", "task"]
    pattern: str
    place: int = 0


def find_path_fault(path: str) -> str | None:
    """Return why no tree of ours may gain this path, or None if it may."""
    return next(_path_faults(path), None)


def _path_faults(path: str) -> Iterator[str]:
    if not is_utf8(path):
        yield "is not valid UTF-8"
        return
    components = path.split("/")
    if not path or path.startswith("/"):
        yield "is empty or absolute"
    if len(path.encode()) > LONGEST_PATH:
        yield f"is longer than {LONGEST_PATH} bytes"
    if len(components) > DEEPEST:
        yield f"is more than {DEEPEST} levels deep"
    if any(unicodedata.category(character) in _INVISIBLE for character in path):
        yield "holds a control, format, private or unassigned character"
    if not unicodedata.is_normalized("NFC", path):
        yield "is not in Unicode normal form C"
    for component in components:
        yield from _component_faults(component)


def _component_faults(component: str) -> Iterator[str]:
    if component in {"", ".", ".."}:
        yield "holds an empty, '.' or '..' component"
        return
    if looks_like_git(component):
        yield "holds a component that is, or passes for, .git"
    if len(component.encode()) > LONGEST_COMPONENT:
        yield f"holds a component longer than {LONGEST_COMPONENT} bytes"
    if any(character in _NOT_PORTABLE for character in component):
        yield f"holds one of {' '.join(_NOT_PORTABLE)}"
    if component[-1] in ". " or component[0] == " ":
        yield "holds a component that begins with a space or ends in a dot or a space"
    if _DEVICE.fullmatch(component):
        yield "holds the name of a Windows device"


def find_git_fault(path: str) -> str | None:
    """Return why a path that is in the tree already may not be written to, or None if it may."""
    if any(looks_like_git(component) for component in path.split("/")):
        return "holds a component that is, or passes for, .git"
    return None


def is_utf8(path: str) -> bool:
    """Whether a string can be encoded, which one with lone surrogates can't."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def looks_like_git(component: str) -> bool:
    """Whether some file system could take this name for .git: by case, ignored characters, marks or short names."""
    name = component.split(":", 1)[0].rsplit("\\", 1)[-1]
    folded = unicodedata.normalize("NFKD", name).casefold().replace(_DOTLESS_I, "i")
    bare = "".join(character for character in folded if unicodedata.category(character)[0] not in "CMZ").rstrip(".")
    return bare == ".git" or _SHORT_NAME.fullmatch(bare) is not None


def find_link_fault(path: str, target: bytes) -> str | None:
    """Return why the symbolic link `path` may not point at `target`, or None if it may."""
    return next(_link_faults(path, target), None)


def _link_faults(path: str, target: bytes) -> Iterator[str]:
    text = target.decode("utf-8", "replace")
    if not text or len(target) > LONGEST_PATH or "\0" in text or "\ufffd" in text:
        yield "is a link with an empty, over-long or malformed target"
    if text.startswith("/") or "\\" in text or re.match(r"[A-Za-z]:", text):
        yield "is a link that leaves the repository"
    components = [component for component in text.split("/") if component not in {"", "."}]
    ups = sum(component == ".." for component in components)
    if ups > path.count("/"):
        yield "is a link that leaves the repository"
    if ".." in components[ups:]:
        # After a name, '..' means the parent of whatever that name is a link to.
        yield "is a link whose target has '..' after a name"
    if any(looks_like_git(component) for component in components):
        yield "is a link into .git"


def protect(path: str, policy: PathPolicy) -> Protection:
    """Return the tier of a path. Letter case doesn't matter, since file systems exist where it doesn't."""
    guard = find_guard(path, policy)
    return Protection(guard.tier, guard.reason) if guard else Protection("open", "")


def find_guard(path: str, policy: PathPolicy) -> Guard | None:
    """Return the strictest rule that guards a path, None where it is open to all changes."""
    folded = path.casefold()
    if built_in := _find_rule(folded, policy.never):
        return Guard("never", built_in[1], "built-in", built_in[0])
    if own := _find_own(path, policy.rules, "never"):
        return own
    if policy.only and not is_among(path, policy.only):
        return Guard("never", OUTSIDE, "task", ", ".join(policy.only))
    if built_in := _find_rule(folded, policy.review):
        return Guard("review", built_in[1], "built-in", built_in[0])
    return _find_own(path, policy.rules, "review")


def is_among(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether patterns, as in .gitignore, name a path; letter case matters, since they allow. No other bytes do."""
    return is_utf8(path) and bool(compile_patterns(patterns).match_file(path))


def _find_rule(folded: str, patterns: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    return next(((pattern, rule) for pattern, rule in patterns if _matches(folded, pattern)), None)


def _find_own(path: str, rules: tuple[FileRule, ...], tier: Tier) -> Guard | None:
    for place, rule in enumerate(rules):
        if rule.tier == tier and rule.names(path):
            return Guard(tier, rule.why, "settings", ", ".join(rule.paths), place)
    return None


def _matches(path: str, pattern: str) -> bool:
    """`name` matches a file of that name, `dir/` all below such a directory, `dir/name` that file there; anywhere."""
    if pattern.endswith("/"):
        return f"/{pattern}" in f"/{path}"
    if "/" in pattern:
        return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")
    return fnmatchcase(path.rpartition("/")[2], pattern)
