"""tree-sitter's grammars of languages whose files are looked at after an edit, as far as they are installed here."""

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Parser

LANGUAGES: Final = {
    ".bash": "bash", ".sh": "bash", ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp",
    ".cs": "c_sharp", ".go": "go", ".java": "java", ".cjs": "javascript", ".js": "javascript", ".jsx": "javascript",
    ".mjs": "javascript", ".php": "php", ".rb": "ruby", ".rs": "rust", ".cts": "typescript", ".mts": "typescript",
    ".ts": "typescript", ".tsx": "tsx",
}  # fmt: skip
"""The language of a file's ending. Kotlin, Swift and Scala have grammars that take good code for wrong too often."""


@cache
def load_parser(language: str) -> "Parser | None":
    """Return what parses a language; None where its grammar is not installed."""
    from tree_sitter import Language, Parser

    try:
        return Parser(Language(_pointer(language)))
    except ImportError:
        return None


def _pointer(language: str) -> object:  # noqa: C901, PLR0911, PLR0912 - one line per grammar: no dynamic imports
    match language:
        case "bash":
            import tree_sitter_bash

            return tree_sitter_bash.language()
        case "c":
            import tree_sitter_c

            return tree_sitter_c.language()
        case "cpp":
            import tree_sitter_cpp

            return tree_sitter_cpp.language()
        case "c_sharp":
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
        case "php":
            import tree_sitter_php

            return tree_sitter_php.language_php()
        case "ruby":
            import tree_sitter_ruby

            return tree_sitter_ruby.language()
        case "rust":
            import tree_sitter_rust

            return tree_sitter_rust.language()
        case "tsx":
            import tree_sitter_typescript

            return tree_sitter_typescript.language_tsx()
        case "typescript":
            import tree_sitter_typescript

            return tree_sitter_typescript.language_typescript()
        case _:
            raise KeyError(language)
