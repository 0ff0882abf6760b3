"""A task as the ranking sees it: weighted terms, exact names, and the places that it names."""

import re
from typing import Final, NamedTuple

from ay_bot.outline.words import number_of, split, terms_of

_LONGEST: Final = 40_000
_MOST_TERMS: Final = 120
_WORD: Final = re.compile(r"[A-Za-z0-9_\u0080-\uffff]+")
# Every repetition is bounded, and no match begins inside of what could be another: texts may be made to be slow.
_PATH: Final = re.compile(
    r"(?<![\w/\\.:+@-])(?:[A-Za-z]:)?[/\\]?"
    r"((?:[\w.+@-]{1,100}[/\\]){0,20}[\w+@-][\w.+@-]{0,100}\.[A-Za-z][\w+]{0,11})(?![\w/])"
)
_DIRECTORY: Final = re.compile(r"(?<![\w/.:+@-])((?:[\w.+@-]{1,100}/){1,20}[\w.+@-]{1,100})(?![\w/])")
_MODULE: Final = re.compile(r"(?<![\w/.-])([A-Za-z_]\w{0,100}(?:\.[A-Za-z_]\w{0,100}){1,10})")
_TRAILER: Final = re.compile(
    r"^(?:signed-off-by|reviewed-by|acked-by|tested-by|reported-by|cc|co-authored-by|change-id|message-id|link|"
    r"bug-[a-z]+|origin|forwarded|last-update|applied-upstream|git-svn-id|author|date|from|suggested-by|"
    r"differential revision|pr-url|reviewed-on|backport-of)\s*:.*$",
    re.IGNORECASE | re.MULTILINE,
)
_LINK: Final = re.compile(r"https?://\S+|\b[0-9a-f]{12,40}\b|<[^<>\s]+@[^<>\s]+>")
_PREFIX: Final = re.compile(r"^\[?([\w./,+* {}|-]{1,60}?)\]?(?:\(([\w./,+ -]{1,40})\))?!?:\s")
_STOPPED: Final = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doesn",
        "don",
        "done",
        "each",
        "either",
        "else",
        "even",
        "for",
        "from",
        "get",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "if",
        "in",
        "instead",
        "into",
        "is",
        "isn",
        "it",
        "its",
        "just",
        "like",
        "make",
        "makes",
        "may",
        "more",
        "most",
        "must",
        "my",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "same",
        "see",
        "she",
        "should",
        "since",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "thus",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "use",
        "used",
        "uses",
        "using",
        "very",
        "via",
        "was",
        "we",
        "well",
        "were",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "who",
        "why",
        "will",
        "with",
        "without",
        "would",
        "yet",
        "you",
        "your",
        "fix",
        "fixes",
        "fixed",
        "add",
        "adds",
        "added",
        "change",
        "changed",
        "update",
        "updated",
        "remove",
        "removed",
        "issue",
        "bug",
        "pr",
        "commit",
        "patch",
        "version",
        "new",
        "old",
        "don't",
        "doesn't",
        "it's",
    ]
)

SUBJECT: Final = 2.0
CODE: Final = 2.0


class Query(NamedTuple):
    """What a task says."""

    terms: dict[int, float]  # by a term's number: its weight
    prefix: tuple[str, ...]  # words before the first colon of the first line, which often name a place
    names: tuple[str, ...]  # identifiers as they are written
    paths: tuple[str, ...]  # what looks like a path or a module, in the order of its mention


def parse_query(text: str) -> Query:
    """Return what a task says: a commit message, an issue, a stack trace."""
    text = _LINK.sub(" ", _TRAILER.sub("", text[:_LONGEST]))
    subject, _, body = text.strip().partition("\n")
    terms: dict[int, float] = {}
    names: dict[str, None] = {}
    for part, weight in ((subject, SUBJECT), (body, 1.0)):
        for match in _WORD.finditer(part):
            _add_word(match[0], weight, terms, names)
    strongest = sorted(terms.items(), key=lambda term: (-term[1], term[0]))[:_MOST_TERMS]
    prefix = _PREFIX.match(subject)
    parts = re.split(r"[\s,{}|*]+", f"{prefix[1]} {prefix[2] or ''}") if prefix else []
    return Query(dict(strongest), tuple(filter(None, parts)), tuple(names)[:200], _find_paths(text))


def _add_word(word: str, weight: float, terms: dict[int, float], names: dict[str, None]) -> None:
    lowered = word.lower()
    if lowered in _STOPPED or (len(word) < 2 and word.isascii()) or (word.isdigit() and len(word) > 5):
        return
    compound = len(split(word)) > 1
    if compound or len(word) > 3:
        names[word] = None
    found = terms_of(word)
    for term in found:
        number = number_of(term)
        share = weight * (CODE if compound and term == found[-1] else 1.0)
        terms[number] = terms.get(number, 0.0) + share


def _find_paths(text: str) -> tuple[str, ...]:
    found = [match[1].replace("\\", "/") for match in _PATH.finditer(text)]
    found += [match[1] for match in _DIRECTORY.finditer(text)]
    found += [match[1].replace(".", "/") for match in _MODULE.finditer(text)]
    return tuple(dict.fromkeys(path.removeprefix("./") for path in found))[:100]
