"""Words on their way out of the host: stages 3 to 5 of one text, repeated until nothing more comes off."""

from ay_bot.host.outputs.allowance import Allowance
from ay_bot.host.outputs.code_parts import outside_code
from ay_bot.host.outputs.domains import defang
from ay_bot.host.outputs.references import contain
from ay_bot.host.outputs.sanitising import sanitise_all, sanitise_markup

_ROUNDS = 6
_FLAT = str.maketrans({"[": "(", "]": ")", "@": "(at)", "#": "no. ", "<": "(", "`": "'", "~": "-", "\\": "/", "&": "+"})


def clean_words(text: str, allowance: Allowance, *, keep_code: bool = True) -> str:
    """Return text that can do no more than it may; cleaning it again changes nothing.

    Without `keep_code` code is treated as words: for what may become a commit's message.
    """
    for _ in range(_ROUNDS):
        before, text = text, _round(text, allowance, keep_code=keep_code)
        if text == before:
            return text
    return _flatten(text, allowance)


def sanitise(text: str, *, keep_code: bool = True) -> str:
    """Return text after stage 3 alone: what the later stages judge."""
    for _ in range(_ROUNDS):
        before, text = text, sanitise_all(text)
        text = (outside_code(text, sanitise_markup) if keep_code else sanitise_markup(text)).strip()
        if text == before:
            break
    return text


def clean_title(text: str, allowance: Allowance) -> str:
    """Return one line of words, without code and without links."""
    return " ".join(clean_words(" ".join(text.split()), allowance, keep_code=False).split())


def _round(text: str, allowance: Allowance, *, keep_code: bool) -> str:
    def rule(part: str) -> str:
        return contain(defang(sanitise_markup(part), allowance), allowance)

    text = sanitise_all(text)
    return (outside_code(text, rule) if keep_code else rule(text)).strip()


def _flatten(text: str, allowance: Allowance) -> str:
    """Leave no markup at all: the end for text that is built to come apart."""
    for _ in range(_ROUNDS):
        before, text = text, _round(text.translate(_FLAT), allowance, keep_code=False)
        if text == before:
            return text
    return ""
