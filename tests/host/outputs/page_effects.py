"""What a Markdown text does on a page, by an independent renderer and GitHub's rules for names and numbers in text."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

QUIET = {"code", "pre"}
CALL = re.compile(r"@([A-Za-z0-9][\w-]*(?:/[\w-]+)?)")
NUMBER = re.compile(r"(?:[\w.-]+/[\w.-]+|\b[\w-]+)?#(\d+)|\bGH-(\d+)", re.IGNORECASE)
ADDRESS = re.compile(r"(?:https?|ftp)://[^\s<]+|www\.[^\s<]+", re.IGNORECASE)
CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:[\w.-]+/[\w.-]+)?(?:#|GH-|https?://\S+/)(\d+)", re.IGNORECASE
)


@dataclass
class Effects(HTMLParser):
    """Everything that a text makes a page do."""

    images: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    hidden: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        given = dict(attrs)
        for name in ("src", "srcset", "background", "poster", "data", "style"):
            if tag != "td" and given.get(name):
                self.images.append(given[name])
        if given.get("href"):
            self.links.append(given["href"])
        if given.get("title"):
            self.hidden.append(given["title"])
        if tag not in {"br", "hr", "img"}:
            self._open.append(tag)
        self.words.append("\0")  # names and numbers are looked for in one piece of text at a time

    def handle_endtag(self, tag):
        self.words.append("\0")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        self.words.append("\0" if QUIET & set(self._open) else data)

    def handle_comment(self, data):
        self.hidden.append(data)

    def handle_decl(self, decl):
        self.hidden.append(decl)

    def handle_pi(self, data):
        self.hidden.append(data)

    @property
    def text(self):
        return "".join(self.words)

    @property
    def addresses(self):
        return [*self.links, *ADDRESS.findall(self.text)]

    @property
    def called(self):
        return CALL.findall(self.text)

    @property
    def numbers(self):
        return [int(a or b) for a, b in NUMBER.findall(self.text)]

    @property
    def closed(self):
        return [int(number) for number in CLOSING.findall(self.text)]


def effects(text):
    """Return what a text does on a page."""
    found = Effects()
    found.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
    found.close()
    return found
