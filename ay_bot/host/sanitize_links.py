"""What Markdown itself keeps from a reader: titles, definitions, images, words behind a fence, entities."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ay_bot.host.sanitize_characters import HIDDEN
from ay_bot.host.sanitize_draft import Edit, Kind, Removal
from ay_bot.host.sanitize_elements import image_words
from ay_bot.host.sanitize_spans import SURELY, code_mask, fence_lines

_NO_GAP = r"\n(?![ \t]*\n)"
_GAP = rf"(?:[ \t]|{_NO_GAP})"
_TITLE = rf"(?:\"(?:[^\"\\\n]|\\.|{_NO_GAP})*+\"|'(?:[^'\\\n]|\\.|{_NO_GAP})*+'|\((?:[^()\\\n]|\\.|{_NO_GAP})*+\))"
_ADDRESS = r"(?:<[^<>\n]*+>|(?:[^\s()\\]|\\.|\([^\s()]*+\))*+)"
_WORDS = r"(?:[^\[\]\\\n]|\\.|\[[^\[\]\n]*+\]|\n(?![ \t]*\n))*+"
_IMAGE = re.compile(rf"!\[(?P<words>{_WORDS})\](?:\({_GAP}*+{_ADDRESS}(?:{_GAP}++{_TITLE})?+{_GAP}*+\)|\[[^\[\]]*+\])?")
_SHOWN = re.compile(rf"!\[{_WORDS}\]\({_GAP}*+(?P<address>{_ADDRESS})(?:{_GAP}++{_TITLE})?+{_GAP}*+\)")
_REFERRING = re.compile(rf"!\[(?P<words>{_WORDS})\](?:\[(?P<label>[^\[\]]*+)\])?")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK_TITLE = re.compile(rf"\]\({_GAP}*+{_ADDRESS}(?P<title>{_GAP}++{_TITLE}{_GAP}*+)\)")
_EMPTY_LINK = re.compile(r"(?<!!)\[[ \t]*+\]\([ \t]*+<?(?P<address>[^\s()<>]*+)>?[ \t]*+\)")
_LABEL = r"(?:[^\[\]\\\n]|\\.){1,999}+"
_DEFINITION = re.compile(
    rf"^[ ]{{0,3}}(?:>[ ]?)*+\[(?P<label>{_LABEL})\]:(?:[ \t]*+\n)?+[ \t]*+(?P<address><[^<>\n]*+>|[^\s<]\S*+)"
    rf"(?P<title>(?:[ \t]++|[ \t]*+\n[ \t]*+){_TITLE})?+[ \t]*+$",
    re.MULTILINE,
)
_FOOTNOTE = re.compile(
    r"^[ ]{0,3}\[\^(?P<label>[^\]\s]{1,99})\]:(?P<words>.*(?:\n(?![ \t]*\n|[ ]{0,3}\[\^).+)*+)", re.MULTILINE
)
_REFERENCE = re.compile(r"\[([^\[\]]{1,999})\](?!:)|\[([^\[\]]{1,999})\](?=:)")
_LONG_LABEL = re.compile(r"(?<=\])\[(?P<label>[^\[\]]{41,999})\]")
_FENCE_INFO = re.compile(
    r"[ \t]*+(?:[-*+>][ ]?|\d{1,9}[.)][ ])*+[ \t]*+(?:`{3,}+|~{3,}+)[ \t]*+[^\s`~]{0,30}+(?P<info>.*\S.*)"
)
_ENTITY = re.compile(
    r"&(?P<again>(?:amp;|#0{0,5}38;|#[xX]0{0,5}26;)*+)(?P<last>#\d{1,7};|#[xX][0-9A-Fa-f]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)"
)
_PAGE_ADDRESS: Final = re.compile(r"<?(?:https?://|mailto:|/|\./|\.\./|[\w.-]+[/.]|#[\w-])", re.IGNORECASE)


def hidden_links(text: str, code: bytearray) -> Iterator[Edit]:
    """Yield edits for what Markdown doesn't show; images become their words."""
    if "[" in text:
        for found in _IMAGE.finditer(text):
            if code[found.start()] != SURELY:
                yield Edit(*found.span(), Kind.IMAGE, found["words"], image_words(found["words"]))
        for found in _LINK_TITLE.finditer(text):
            if code[found.start()] != SURELY:
                yield Edit(*found.span("title"), Kind.TITLE, found["title"].strip()[1:-1])
        for found in _EMPTY_LINK.finditer(text):
            if code[found.start()] != SURELY:
                yield Edit(*found.span(), Kind.EMPTY_LINK, found["address"])
        yield from _definitions(text, code)
    yield from _fence_infos(text)


def image_address(markdown: str, defined: Mapping[str, str]) -> str:
    """Return the address in the Markdown of one image, or the one that is defined for its label; empty without."""
    if found := _SHOWN.fullmatch(markdown):
        return _plain(found["address"])
    if found := _REFERRING.fullmatch(markdown):
        return defined.get(_label(found["label"] or found["words"]), "")
    return ""


def defined_addresses(text: str, hidden: Iterable[Removal]) -> dict[str, str]:
    """Return the addresses that a text defines, by label: the first of a label counts, and none in a `hidden` part."""
    if "]:" not in text:
        return {}
    text = text.replace("\r\n", " \n")
    mask = code_mask(text)
    for part in hidden:
        mask[part.start : part.end] = bytes([SURELY]) * (part.end - part.start)
    found = [each for each in _DEFINITION.finditer(text) if mask[each.start("label")] != SURELY]
    return {_label(each["label"]): _plain(each["address"]) for each in reversed(found) if each["label"][0] != "^"}


def _plain(address: str) -> str:
    return html.unescape(_ESCAPED.sub(r"\1", address.strip("<>")))


def _definitions(text: str, code: bytearray) -> Iterator[Edit]:
    defined = [
        found
        for found in _DEFINITION.finditer(text)
        if code[found.start("label")] != SURELY and found["label"][0] != "^"
    ]
    footnotes = [found for found in _FOOTNOTE.finditer(text) if code[found.start("label")] != SURELY]
    places = {found.start("label") - 1 for found in defined} | {found.start("label") - 2 for found in footnotes}
    used = {_label(found[1] or found[2]) for found in _REFERENCE.finditer(text) if found.start() not in places}
    for found in defined:
        if _label(found["label"]) not in used or not _PAGE_ADDRESS.match(found["address"]):
            yield Edit(*found.span(), Kind.DEFINITION, f"{found['label']} {(found['title'] or '').strip()}".strip())
        elif found["title"]:
            yield Edit(*found.span("title"), Kind.TITLE, found["title"].strip()[1:-1])
    for found in footnotes:
        if _label("^" + found["label"]) not in used:
            yield Edit(*found.span(), Kind.DEFINITION, found["words"].strip())
    labels = {_label(found["label"]) for found in defined}
    for found in _LONG_LABEL.finditer(text):
        if _label(found["label"]) in labels and code[found.start()] != SURELY:
            yield Edit(*found.span(), Kind.DEFINITION, found["label"])


def _label(label: str) -> str:
    return " ".join(label.split()).casefold()


def _fence_infos(text: str) -> Iterator[Edit]:
    """Yield what stands behind the language of a fence, which no page shows."""
    for start, end in fence_lines(text):
        if found := _FENCE_INFO.match(text, start, end):
            yield Edit(*found.span("info"), Kind.FENCE_INFO, found["info"].strip())


def encoded(text: str, code: bytearray) -> Iterator[Edit]:
    """Yield entities that stand for what can't be seen, and entities of entities, decoded."""
    if "&" not in text:
        return
    for found in _ENTITY.finditer(text):
        if code[found.start()] == SURELY:
            continue
        character = html.unescape("&" + found["last"])
        if character == "&" + found["last"]:
            continue
        if found["again"] or HIDDEN.search(character):
            yield Edit(*found.span(), Kind.ENTITY, character, character)
