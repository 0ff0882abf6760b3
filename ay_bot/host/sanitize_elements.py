"""HTML within Markdown: what a page hides of it, folds, or keeps in attributes that nobody sees."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ay_bot.host.sanitize_draft import Edit, Kind
from ay_bot.host.sanitize_spans import AUTOLINK, LONGEST_TAG, SURELY, TAG

_VOID: Final = frozenset(
    re.findall(
        r"\w+",
        """
        area base br col embed hr img input link meta param source track wbr
        """,
    )
)
_DROPPED: Final = frozenset(
    re.findall(
        r"\w+",
        """
        script style template noscript noembed noframes datalist iframe object audio video canvas svg head title
        textarea select xmp
        """,
    )
)
_KNOWN: Final = frozenset(
    re.findall(
        r"\w+",
        """
        a abbr address area article aside audio b base big blockquote body br button canvas center cite code col
        datalist dd del details dfn div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5
        h6 head header hr html i iframe img input ins kbd label legend li link main map mark menu meta nav noembed
        noframes noscript object ol optgroup option p param picture pre q s samp script section select small
        source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time
        title tr track tt u ul var video wbr xmp
        """,
    )
)
_LENIENT = re.compile(r"</?[A-Za-z][^\s/<>\"'=]*+(?:[^<>\"'\n]|\n(?![ \t]*\n)|\"[^\"<>]*+\"|'[^'<>]*+'|[\"'])*+>")
_BLOCK = re.compile(r"^[ \t>*+-]*+(?:\d{1,9}[.)][ ])?<[A-Za-z/!?][\s\S]*?(?=\n[ \t]*\n|\Z)", re.MULTILINE)
_BOGUS = re.compile(r"<[!?](?!--)|</[^A-Za-z<>][^<>]*>")
_BOGUS_IN_BLOCK = re.compile(r"<(?:[!?](?!--)|/[^A-Za-z<>])[^>]*(?:>|\Z)")
_NAME = re.compile(r"</?([A-Za-z][^\s/<>\"'=]*)")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s\"'<>`]++))?+")
_HIDING = re.compile(
    r"display\s*:\s*none|(?:content-)?visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0*(?![.\d])"
    r"|font-size\s*:\s*(?:0?\.\d+|0+|1)(?:\.0*)?\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|(?:^|[;\s-])(?:width|height)\s*:\s*0(?![.\d]*[1-9])"
    r"|(?<![\w-])color\s*:\s*(?:white|transparent|#f{3,8}|#f{3}0|#f{6}00|rgba?\()"
    r"|(?:left|right|top|bottom|text-indent|margin[a-z-]*)\s*:\s*-\s*\d{3,}|(?:^|[;\s])clip(?:-path)?\s*:|scale\(\s*0",
    re.IGNORECASE,
)
_PALE = frozenset({"white", "transparent", "#fff", "#ffffff", "fff", "ffffff"})
_SPECKS: Final = frozenset({"0", "0px", "0%", "1", "1px"})
_KEPT = {
    "href",
    "src",
    "open",
    "align",
    "valign",
    "width",
    "height",
    "colspan",
    "rowspan",
    "start",
    "type",
    "checked",
    "dir",
    "lang",
}
_SHORT = re.compile(r"[\w%.#-]{0,20}")
_ADDRESS = re.compile(r"[^\s\"'<>]{1,2000}")


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    closing: bool
    start: int
    end: int
    attributes: tuple[tuple[str, str], ...]

    @property
    def hidden(self) -> bool:
        return any(_hides(self.name, name, value) for name, value in self.attributes)


def _hides(element: str, name: str, value: str) -> bool:
    if name == "style":
        return bool(_HIDING.search(re.sub(r"/\*.*?(?:\*/|$)|\\", "", html.unescape(value), flags=re.DOTALL)))
    if name in {"width", "height", "size"}:
        return element != "img" and value.strip() in {"0", "0px", "0%"}
    return name == "hidden" or (name == "color" and value.strip().lower() in _PALE)


def hidden_elements(text: str, code: bytearray) -> Iterator[Edit]:
    """Yield edits that take out hidden elements, what is folded away, and attributes; images become their words."""
    yield from _bogus(text, code)
    tags = list(_tags(text, code))
    ends = _ends(tags)
    position = 0
    for index, tag in enumerate(tags):
        if tag.closing or tag.start < position:  # what stands in a part that goes is not looked at again
            continue
        for edit in _edits(text, tags, index, ends.get(index)):
            position = edit.end
            yield edit


def _edits(text: str, tags: list[_Tag], index: int, close: int | None) -> Iterator[Edit]:
    tag = tags[index]
    if tag.name == "img":
        yield _image(tag)
    elif tag.name not in _VOID and (edit := _hidden(text, tag, close)):
        yield edit
    else:
        yield from _attributes(text, tag)
        if tag.name == "details" and "open" not in dict(tag.attributes):
            yield from _folded(text, tags, index, close)


def _blocks(text: str) -> list[tuple[int, int]]:
    """Return the paragraphs that may be HTML as a whole, where browsers decide what a tag is, not Markdown."""
    return [found.span() for found in _BLOCK.finditer(text)]


def _bogus(text: str, code: bytearray) -> Iterator[Edit]:
    """Yield what browsers take for comments though it looks otherwise: declarations, instructions, broken tags."""
    position = 0
    for start, end in _blocks(text):
        for found in _BOGUS_IN_BLOCK.finditer(text, max(start, position), end):
            if code[found.start()] == SURELY:
                continue
            position = found.end()
            if text[position - 1] != ">":  # a block of this sort goes on over blank lines
                position = text.find(">", position) + 1 or len(text)
            yield _bogus_edit(text, found.start(), position)
    position = 0
    missing: set[str] = set()
    while match := _BOGUS.search(text, position):
        start, position = match.span()
        if code[start] != SURELY and (end := _bogus_end(text, match, missing)):
            position = end
            yield _bogus_edit(text, start, end)


def _bogus_end(text: str, match: re.Match[str], missing: set[str]) -> int:
    """Return where a declaration or instruction ends; 0 if it does not, and then no later one does."""
    if match.group().endswith(">"):
        return match.end()
    closing = "?>" if match.group() == "<?" else "]]>" if text.startswith("[CDATA[", match.end()) else ">"
    found = -1 if closing in missing else text.find(closing, match.start())
    if found < 0:
        missing.add(closing)
        return 0
    return found + len(closing)


def _bogus_edit(text: str, start: int, end: int) -> Edit:
    return Edit(start, end, Kind.COMMENT, text[start + 2 : end].strip(" ?>]"))


def _tags(text: str, code: bytearray) -> Iterator[_Tag]:
    position = 0
    html_block = bytearray(len(text))
    for begin, end in _blocks(text):
        html_block[begin:end] = b"\1" * (end - begin)
    while (start := text.find("<", position)) >= 0:
        position = start + 1
        if code[start] == SURELY or AUTOLINK.match(text, start):
            continue
        found = TAG.match(text, start, start + LONGEST_TAG)
        if not found and (lenient := _LENIENT.match(text, start)):
            found = lenient if html_block[start] or _name(lenient.group()) in _KNOWN else None
        if found:
            position = found.end()
            yield _tag(found.group(), start)


def _name(tag: str) -> str:
    found = _NAME.match(tag)
    return found[1].lower() if found else ""


def _tag(tag: str, start: int) -> _Tag:
    name = _NAME.match(tag)
    rest = tag[name.end() : -1] if name else ""
    attributes = tuple((found[1].lower(), (found[2] or "").strip("\"'")) for found in _ATTRIBUTE.finditer(rest))
    return _Tag(_name(tag), tag.startswith("</"), start, start + len(tag), attributes)


def _ends(tags: list[_Tag]) -> dict[int, int]:
    """Return for each opening tag its closing tag, both by index."""
    open_ones: dict[str, list[int]] = {}
    ends: dict[int, int] = {}
    for index, tag in enumerate(tags):
        if tag.closing:
            if waiting := open_ones.get(tag.name):
                ends[waiting.pop()] = index
        elif tag.name not in _VOID:
            open_ones.setdefault(tag.name, []).append(index)
    return {start: tags[end].start for start, end in ends.items()}


def _hidden(text: str, tag: _Tag, close: int | None) -> Edit | None:
    if not tag.hidden and (tag.name not in _DROPPED or close is None):
        return None
    end = len(text) if close is None else text.index(">", close) + 1
    return Edit(tag.start, end, Kind.ELEMENT, text[tag.end : close].strip())


def _folded(text: str, tags: list[_Tag], index: int, close: int | None) -> Iterator[Edit]:
    start, end = tags[index].end, len(text) if close is None else close
    summary = tags[index + 1] if index + 1 < len(tags) else None
    if summary and summary.name == "summary" and not summary.closing and not text[start : summary.start].strip():
        closing = text.find("</summary", summary.end, end)
        start = text.find(">", closing) + 1 if closing >= 0 else end
    if content := text[start:end].strip():
        yield Edit(start, end, Kind.FOLDED, content)


def _image(tag: _Tag) -> Edit:
    words = html.unescape(dict(tag.attributes).get("alt", ""))
    return Edit(tag.start, tag.end, Kind.IMAGE, words, image_words(words))


def image_words(words: str) -> str:
    """Return what stands in the place of an image: the words that its author gave it, said to be just that."""
    plain = " ".join(re.sub(r"[\[\]<>`&!]", " ", words).split())
    return f"[image: {plain}]" if plain else "[image]"


def read_image(tag: str) -> str:
    """Return the address of the image that a tag shows; empty where it has none, or nobody is to see it."""
    found = _tag(tag, 0)
    attributes = dict(reversed(found.attributes))  # the first of two counts
    speck = any(attributes.get(side, "").strip() in _SPECKS for side in ("width", "height"))
    return "" if found.name != "img" or found.hidden or speck else html.unescape(attributes.get("src", ""))


def _attributes(text: str, tag: _Tag) -> Iterator[Edit]:
    kept = [(name, value) for name, value in tag.attributes if _harmless(name, value)]
    dropped = [(name, value) for name, value in tag.attributes if not _harmless(name, value)]
    if dropped:
        opening = text[tag.start : tag.start + 1 + len(tag.name)]
        again = "".join(f' {name}="{value}"' if value else f" {name}" for name, value in kept)
        told = "; ".join(f"{name}={html.unescape(value)}" if value else name for name, value in dropped)
        yield Edit(tag.start, tag.end, Kind.ATTRIBUTE, told, f"{opening}{again}>")


def _harmless(name: str, value: str) -> bool:
    return name in _KEPT and bool((_ADDRESS if name in {"href", "src"} else _SHORT).fullmatch(value))
