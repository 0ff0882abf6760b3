"""Definitions in files without a grammar, by the words that lines begin with."""

import re
from collections import Counter
from io import BytesIO
from typing import Final

_LONGEST_LINE: Final = 400
_MOST: Final = 4_000

_KEYWORDS: Final = re.compile(
    rb"^[ \t]*(?:(?:export|pub(?:lic)?|private|protected|internal|local|async|static|final|abstract|default|override|"
    rb"virtual|inline|extern|open|sealed|partial|declare|const|unsafe|rec|mut|forward|global|pure)\s+)*"
    rb"(?:function|func|fun|fn|def|defp|defn-?|defmodule|defmacro|defun|defclass|defstruct|defmethod|class|classdef|"
    rb"interface|trait|struct|enum|union|type|record|protocol|extension|module|namespace|package|actor|primitive|object|"
    rb"contract|library|event|modifier|macro|sub|proc|procedure|val|let|var|data|newtype|instance|message|service|rpc|"
    rb"new|be|predicate|table|view|typedef|mixin|port|create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure))"
    rb"\s+(?:if\s+not\s+exists\s+)?([A-Za-z_$][\w.$!?'-]*)",
    re.IGNORECASE,
)
_LISP: Final = re.compile(rb"^\s*\(def[\w-]*\s+\(?([^\s()\"]+)")
_CALLABLE: Final = re.compile(rb"^[ \t]*(?:[A-Za-z_][\w:<>,\[\]?.]*[ \t*&]{1,8}){1,6}([A-Za-z_]\w*)[ \t]*\([^;]*$")
_BARE_CALLABLE: Final = re.compile(rb"^[ \t]*([A-Za-z_]\w*)[ \t]*\([^;]*\)[ \t]*(?:async[ \t]*)?\{[ \t]*$")
_TYPED: Final = re.compile(rb"^\s*([A-Za-z_][\w']*)\s+::?\s")
_ASSIGNED: Final = re.compile(rb"^[ \t]*([A-Za-z_][\w.]*)[ \t]*(?:<-|=|:=)[ \t]*function\b")
_MATLAB: Final = re.compile(rb"^\s*function\s+(?:\[?[\w, ]*\]?\s*=\s*)?([A-Za-z]\w*)")
_QUOTED: Final = re.compile(rb"\"([^\"\n]{1,80})\"")
_BLOCK: Final = re.compile(rb"^\s*([A-Za-z_][\w-]*)\s*(?:\"[^\"\n]*\"\s*)*(?:=(?!=)|\{)")
_KEY: Final = re.compile(rb"^\s*([A-Za-z_][\w.-]*)\s*[=:]")
_UDEV: Final = re.compile(rb"(?:LABEL|GOTO|NAME|SYMLINK|ENV\{(\w+)\})\s*\+?=\s*\"([^\"\n]+)\"")
_CHATITO: Final = re.compile(rb"^[%~@]\[([^\]\n?]+)\]")
_HEADING: Final = re.compile(rb"^#{1,3}\s+(\S.*?)\s*#*$")
_TARGET: Final = re.compile(rb"^([A-Za-z0-9_.-]+)\s*:(?!=)")
_NAME: Final = re.compile(rb"[A-Za-z_@$][\w$]*(?:[-./?!*]+[\w$]+)*")
_PLAIN_NAME: Final = re.compile(rb"[A-Za-z_]\w*")
_LOCAL: Final = re.compile(rb"^[ \t]+([a-z]\w*)[ \t]*(?:[\w ]*)=(?!=)")
_ELM_VARIANT: Final = re.compile(rb"^\s+[=|]\s+([A-Z]\w*)")

_CODE: Final = (_KEYWORDS, _CALLABLE)
_PATTERNS: Final = {
    "clj": (_LISP,), "cljs": (_LISP,), "cljc": (_LISP,), "lisp": (_LISP,), "el": (_LISP,), "rkt": (_LISP,),
    "scm": (_LISP,), "ss": (_LISP,), "hs": (_TYPED, _KEYWORDS), "elm": (_TYPED, _KEYWORDS, _ELM_VARIANT, _LOCAL),
    "ml": (_KEYWORDS,), "mli": (_KEYWORDS,), "r": (_ASSIGNED,), "m": (_MATLAB, _KEYWORDS),
    "dart": (*_CODE, _BARE_CALLABLE),
    "d": (*_CODE, _BARE_CALLABLE), "tf": (_QUOTED, _BLOCK), "hcl": (_QUOTED, _BLOCK),
    "properties": (_KEY,), "ini": (_KEY,), "cfg": (_KEY,),
    "toml": (_KEY,), "rules": (_UDEV,), "chatito": (_CHATITO,), "md": (_HEADING,), "mk": (_TARGET,),
    "makefile": (_TARGET,), "gnumakefile": (_TARGET,),
}  # fmt: skip
_CODE_SUFFIXES: Final = frozenset(
    [
        "adb",
        "ads",
        "asm",
        "cairo",
        "cl",
        "coffee",
        "cr",
        "cu",
        "elixir",
        "ex",
        "exs",
        "f90",
        "f95",
        "fs",
        "fsx",
        "gd",
        "gleam",
        "glsl",
        "gql",
        "graphql",
        "groovy",
        "gradle",
        "hx",
        "jl",
        "lean",
        "lua",
        "mm",
        "nim",
        "nix",
        "odin",
        "pas",
        "pl",
        "pm",
        "pony",
        "prisma",
        "proto",
        "ps1",
        "pyx",
        "pxd",
        "ql",
        "qll",
        "s",
        "sol",
        "sql",
        "svelte",
        "sv",
        "swig",
        "tcl",
        "thrift",
        "v",
        "vala",
        "vb",
        "vhd",
        "vhdl",
        "vue",
        "wgsl",
        "zig",
    ]
)


def find_definitions(path: str, text: bytes, *, code: bool = False) -> list[tuple[bytes, int]]:
    """Return names that a file defines, each with its line, counted from 0; `code` says that it surely is code."""
    patterns = _patterns_for(path) or (_CODE if code else ())
    found: list[tuple[bytes, int]] = []
    if not patterns:
        return found
    for number, ended in enumerate(BytesIO(text)):  # no list of lines: there may be a million
        line = ended.removesuffix(b"\n")
        if 2 < len(line) <= _LONGEST_LINE:
            found.extend((name, number) for pattern in patterns for name in _names(pattern, line))
            if len(found) >= _MOST:
                break
    return found


def _patterns_for(path: str) -> tuple[re.Pattern[bytes], ...]:
    name = path.rpartition("/")[2].lower()
    suffix = name.rpartition(".")[2]
    return _PATTERNS.get(suffix) or (_CODE if suffix in _CODE_SUFFIXES and "." in name else ())


def _names(pattern: re.Pattern[bytes], line: bytes) -> list[bytes]:
    if pattern is _QUOTED or pattern is _UDEV:
        return [group for match in pattern.finditer(line) for group in match.groups() if group]
    match = pattern.match(line)
    return list(dict.fromkeys((match[1], match[1].rpartition(b".")[2] or match[1]))) if match else []


def find_references(text: bytes) -> Counter[bytes]:
    """Return all that may be a name in a file without a grammar, and how often it stands there."""
    found = Counter(match[0] for match in _NAME.finditer(text))
    found.update({match[0] for match in _PLAIN_NAME.finditer(text)} - found.keys())
    return found
