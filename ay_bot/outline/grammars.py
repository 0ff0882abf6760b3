"""The grammars with what finds definitions and references in their trees."""

from functools import cache
from typing import TYPE_CHECKING

from ay_bot.outline.queries import QUERIES
from ay_bot.protocol.grammars import load_language

if TYPE_CHECKING:
    from tree_sitter import Parser, QueryCursor


@cache
def load_grammar(name: str) -> "tuple[Parser, QueryCursor]":
    """Return what parses a language and what finds definitions and references in its trees."""
    from tree_sitter import Parser, Query, QueryCursor

    language = load_language(name)
    return Parser(language), QueryCursor(Query(language, QUERIES[name]), match_limit=256)
