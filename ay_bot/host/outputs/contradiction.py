"""Words that claim what the host found to be false: that the tests pass."""

import re
from typing import Final

BANNER: Final = (
    "> [!WARNING]\n> The words below say that the tests pass. ay-bot ran the tests itself, and they do not prove that."
)
_CLAUSE = re.compile(r"[.!?;](?=\s)|\n|,?\s(?:but|although|though|however)\s", re.IGNORECASE)
_NONE_FAILED = re.compile(r"\b(?:0|no|zero|without(?: any)?)\s+(?:failed|failures?|failing|errors?)\b")
_GOOD = r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed|ing)?|successful(?:ly)?|green|ok(?:ay)?|works?)"
_TESTS = r"(?:tests?|specs?|test[ -]?suite|suite|checks?|ci|build|pipeline|everything)"
_CLAIM = re.compile(
    rf"\b{_TESTS}\b.{{0,60}}\b{_GOOD}\b|\b{_GOOD}\b.{{0,40}}\b{_TESTS}\b|\b\d+\s+pass(?:ed|ing)\b"
    rf"|\b(\d+)\s*(?:/|of|out of)\s*\1\b.{{0,20}}\b{_GOOD}\b"
    rf"|\b{_TESTS}\b.{{0,30}}[\u2705\u2714\u2713]|[\u2705\u2714\u2713].{{0,30}}\b{_TESTS}\b"
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|cannot|\w+n't|fail\w*|broken|red|until|unless|if|once|"
    r"should|would|could|must|might|may|will|to make|make sure|so that|in order|except|before|untested|unverified)\b"
)
_MARKUP = re.compile(r"[*_~`]+")


def contradicts(text: str, *, verified: bool) -> bool:
    """Whether a text says that the tests pass although the verdict says otherwise."""
    return not verified and any(_claims(clause) for clause in _CLAUSE.split(text))


def put_banner(text: str) -> str:
    """Return text below a warning that it is wrong; once, however often."""
    return text if text.startswith(BANNER) else f"{BANNER}\n\n{text}"


def _claims(clause: str) -> bool:
    words = _NONE_FAILED.sub("", _MARKUP.sub("", clause.lower().replace("\u2019", "'")))
    return bool(_CLAIM.search(words)) and not _NEGATION.search(words)
