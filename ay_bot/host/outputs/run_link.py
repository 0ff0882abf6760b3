"""The end of every text that is sent: the address of the run that made it, outside of whatever the text leaves open."""

import re
from collections.abc import Callable, Iterator

from ay_bot.host.sanitize_spans import code_mask

_NO_CODE = str.maketrans("`~", "'-")


def put_run_link(text: str, url: str, clean: Callable[[str], str]) -> str:
    """Return text that ends with a link to the run; once, however often. Without an address nothing is added.

    `clean` cleans words: a code block that can't be ended is made words.
    """
    end = f"\n\n---\n\n[Run of ay-bot]({url})"
    if not url or (text.endswith(end) and not any(code_mask(text)[-len(end) :])):
        return text
    for closed in _endings(text):
        whole = closed + end
        if not any(code_mask(whole)[len(closed) :]):
            return whole
    return clean(text.translate(_NO_CODE)) + end


def _endings(text: str) -> Iterator[str]:
    """Yield the text with nothing after it, and with what ends a code block that it leaves open."""
    yield text
    for mark in "`~":
        longest = max((len(run) for run in re.findall(f"{mark}{{3,}}", text)), default=3)
        yield f"{text}\n{mark * longest}"
