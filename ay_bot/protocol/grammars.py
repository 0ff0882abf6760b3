"""tree-sitter's grammars by name, as far as they are installed: loaded one by one when a file first needs them."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language


@cache
def load_language(name: str) -> "Language":
    """Return a grammar. Raises ImportError where it is not installed, and KeyError where there is none."""
    from tree_sitter import Language

    return Language(_pointer(name))


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
