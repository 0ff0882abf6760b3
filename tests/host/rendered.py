"""What a person sees of a Markdown text, by an independent renderer: the judge over the gate's and sanitiser's readings."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt

INERT = {"code", "pre", "blockquote", "details", "script", "style", "textarea", "template", "title"}
VOID = {"br", "hr", "img", "input", "wbr", "meta", "link"}


class _Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.seen = []
        self.live = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.seen.append(data)
        if not INERT & set(self.open):
            self.live.append(data)


def page(text):
    """Return the words that the page shows, and those of them that stand neither in code nor in a quote nor folded."""
    parser = _Page()
    parser.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
    parser.close()
    return "".join(parser.seen), "".join(parser.live)
