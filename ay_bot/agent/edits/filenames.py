"""Which file a block of text is meant for: the lines above it, stripped of decoration, against the known names."""

import difflib
import re
from collections.abc import Collection, Sequence

LOOK_BACK = 3  # lines
CLOSE = 0.8
MOST_COMPARED = 1_000  # known files; the comparison is slow
LONGEST = 250  # characters; no path that a model names is longer
FENCE = re.compile(r"\s*(?:(`{3,}|~{3,})|</?(?:source|code|pre|codeblock|sourcecode)>)")
BARE = frozenset({
    "Brewfile", "CHANGELOG", "CODEOWNERS", "Containerfile", "Dockerfile", "Gemfile", "Jenkinsfile", "Justfile",
    "LICENSE", "Makefile", "Pipfile", "Procfile", "README", "Rakefile", "Vagrantfile", "WORKSPACE",
})  # fmt: skip
"""Names of files that have no extension."""
PREFIXES = ("", "./", "/", "a/", "b/", "old/", "new/")
WORD = re.compile(r"[\w.@+\-/\\]+")
PATH = re.compile(r"[\w.@+\-/\\()\[\]]+")


def is_fence(line: str) -> bool:
    """Whether a line opens or closes a block of code."""
    return FENCE.match(line) is not None


def after_fence(line: str) -> str:
    """What stands on a fence's line after the fence."""
    opened = FENCE.match(line)
    return line[opened.end() :].strip() if opened else ""


def find_name(above: Sequence[str], known: Collection[str] = ()) -> str:
    """The file named in the last lines `above` a block; empty if there is none."""
    names: list[str] = []
    for line in reversed(above[-LOOK_BACK:]):
        if name := stripped(line):
            names.append(name)
        if not is_fence(line):
            break
    return choose(names, known)


def choose(names: Sequence[str], known: Collection[str]) -> str:
    """The best of several names: a known file, its last part, one that is much like it, or one with an extension."""
    for name in names:
        if name in known:
            return name
    for name in names:
        same = [path for path in known if path.rpartition("/")[2] == name]
        if len(same) == 1:
            return same[0]
        comparable = not same and len(known) <= MOST_COMPARED and len(name) <= LONGEST
        close = difflib.get_close_matches(name, list(known), n=1, cutoff=CLOSE) if comparable else []
        if close:
            return close[0]
    return next((name for name in names if "." in name), names[0] if names else "")


def find_meant(name: str, known: Collection[str]) -> str:
    """The one known file that a name stands for, whatever stands around it; the name itself if that can't be said."""
    if not name or name in known:
        return name
    words = [name, *WORD.findall(name)]
    found = dict.fromkeys(path for word in words if (path := _bared(word, known)))
    found = found or dict.fromkeys(path for path in known if path.rpartition("/")[2] == name)
    return next(iter(found)) if len(found) == 1 else name


def _bared(word: str, known: Collection[str]) -> str:
    """The known file of this name, but for what tools and models put before and behind one."""
    word = word.strip(" \"'`*:;,").rstrip(".").replace("\\", "/")
    shorter = (word[len(prefix) :] for prefix in PREFIXES if word.startswith(prefix))
    return next((path for path in shorter if path and path in known), "")


def stripped(line: str) -> str:
    """A name without what models put around it; empty for what is none."""
    name = line.strip()
    if name == "...":
        return ""
    if is_fence(name):
        inner = after_fence(name)
        return inner if "." in inner or "/" in inner else ""
    return name.rstrip(":").lstrip("#").strip().strip("`*")


def looks_like_path(text: str) -> bool:
    """Whether a text is a path with an extension or a folder, or a usual name without, and no sentence."""
    if text in BARE:
        return True
    if len(text) > LONGEST or text.endswith((".", "/")) or "://" in text:
        return False
    return ("/" in text or "." in text) and PATH.fullmatch(text) is not None
