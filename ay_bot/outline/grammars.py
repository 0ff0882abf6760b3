"""The grammars: loaded one by one when a file first needs them."""

from functools import cache
from typing import TYPE_CHECKING

from ay_bot.outline.queries import QUERIES

if TYPE_CHECKING:
    from tree_sitter import Parser, QueryCursor


@cache
def load_grammar(name: str) -> "tuple[Parser, QueryCursor]":
    """Return what parses a language and what finds definitions and references in its trees."""
    from tree_sitter import Language, Parser, Query, QueryCursor

    language = Language(_pointer(name))
    return Parser(language), QueryCursor(Query(language, QUERIES[name]), match_limit=256)


def _pointer(name: str) -> object:  # noqa: C901, PLR0911, PLR0912 - one line per grammar: no dynamic imports
    match name:
        case "bash":
            import tree_sitter_bash

            return tree_sitter_bash.language()
        case "c":
            import tree_sitter_c

            return tree_sitter_c.language()
        case "cpp":
            import tree_sitter_cpp

            return tree_sitter_cpp.language()
        case "csharp":
            import tree_sitter_c_sharp

            return tree_sitter_c_sharp.language()
        case "go":
            import tree_sitter_go

            return tree_sitter_go.language()
        case "java":
            import tree_sitter_java

            return tree_sitter_java.language()
        case "javascript":
            import tree_sitter_javascript

            return tree_sitter_javascript.language()
        case "kotlin":
            import tree_sitter_kotlin

            return tree_sitter_kotlin.language()
        case "php":
            import tree_sitter_php

            return tree_sitter_php.language_php()
        case "python":
            import tree_sitter_python

            return tree_sitter_python.language()
        case "ruby":
            import tree_sitter_ruby

            return tree_sitter_ruby.language()
        case "rust":
            import tree_sitter_rust

            return tree_sitter_rust.language()
        case "scala":
            import tree_sitter_scala

            return tree_sitter_scala.language()
        case "swift":
            import tree_sitter_swift

            return tree_sitter_swift.language()
        case "tsx":
            import tree_sitter_typescript

            return tree_sitter_typescript.language_tsx()
        case "typescript":
            import tree_sitter_typescript

            return tree_sitter_typescript.language_typescript()
        case _:
            raise KeyError(name)
