"""When two lines count as the same: what writing tools and models change without meaning to."""

import unicodedata

_TABLE = (
    dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")
    | dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4"), "'")
    | dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"')
    | dict.fromkeys(
        map(ord, "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"), " "
    )
    | {ord("\u2026"): "..."}
    | dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff"), "")
)


def exact(line: str) -> str:
    """Every character counts."""
    return line


def trimmed(line: str) -> str:
    """Trailing space does not count."""
    return line.rstrip()


def folded(line: str) -> str:
    """Nor do the kinds of dashes, quotes and spaces, nor how accents are composed."""
    if line.isascii():
        return line.rstrip()
    return unicodedata.normalize("NFC", line).translate(_TABLE).rstrip()


def bare(line: str) -> str:
    """Nor does indentation."""
    return folded(line).lstrip()


def indent_of(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t\u00a0"))]
