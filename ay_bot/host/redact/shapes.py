"""What keys look like: a rule for each shape, and the shapes that detect-secrets does not know."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ay_bot.host.redact.linear import compile_linear

_REST = re.compile(rb"[A-Za-z0-9_-]*+")
_LEAST_BITS: Final = 2.8
"""Of entropy for each character; placeholders, rows of one letter and plain words have less."""


@dataclass(frozen=True)
class Rule:
    """A shape that keys have; `in_group` where the key is the first group of it."""

    name: str
    pattern: bytes
    in_group: bool = False

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the spans of keys, each up to the end of its word: what is longer than the shape is no less secret."""
        done = 0
        for found in compile_linear(self.pattern).finditer(data):
            group = int(self.in_group and found.start(1) >= 0)
            if found.end(group) <= done:
                continue
            rest = _REST.match(data, found.end(group))
            done = rest.end() if rest else found.end(group)
            if not _is_example(data[found.start(group) : done]):
                yield found.start(group), done


@dataclass(frozen=True)
class Shape:
    """A rule of ours, with the literals of which a match always holds one."""

    rule: Rule
    literals: tuple[bytes, ...]


def _shape(name: str, pattern: bytes, *literals: bytes) -> Shape:
    return Shape(Rule(name, pattern), literals)


_IN_ADDRESS = rb"[^:/?#\[\]@!$&'()*+,;=\s]+"

OURS: Final = (
    Shape(Rule("password in an address", rb"://" + _IN_ADDRESS + rb":(" + _IN_ADDRESS + rb")@", in_group=True), (b"://",)),
    _shape(
        "private key",
        rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        rb"(?:(?:[A-Za-z0-9+/=:,\-\s]|\\[nr]){40,}?-----END [A-Z0-9 ]{0,40}-----|(?:[A-Za-z0-9+/=\s]|\\[nr]){40,})",
        b"PRIVATE KEY",
    ),
    _shape("GitHub fine-grained token", rb"github_pat_[A-Za-z0-9_]{22,}", b"github_pat_"),
    _shape("model key", rb"\bsk-(?:(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})", b"sk-"),
    _shape(
        "key of another model provider",
        rb"\b(?:gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|hf_[A-Za-z0-9]{30,})",
        b"gsk_", b"xai-", b"hf_",
    ),
    _shape(
        "Google key",
        rb"\b(?:AIza[A-Za-z0-9_-]{35,}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})",
        b"AIza", b"ya29.", b"GOCSPX-",
    ),
    _shape(
        "GitLab token",
        rb"\b(?:gl(?:pat|dt|ft|soat|rt|cbt|ptt|agent|oas|imt)-|GR1348941)[A-Za-z0-9_-]{20,}",
        b"glpat-", b"gldt-", b"glft-", b"glsoat-", b"glrt-", b"glcbt-", b"glptt-", b"glagent-", b"gloas-", b"glimt-",
        b"GR1348941",
    ),
    _shape("PyPI token", rb"\bpypi-AgE[A-Za-z0-9_-]{50,}", b"pypi-AgE"),
    _shape("Docker token", rb"\bdckr_pat_[A-Za-z0-9_-]{20,}", b"dckr_pat_"),
    _shape("Azure storage key", rb"AccountKey=[A-Za-z0-9+/]{80,}={0,2}", b"AccountKey="),
    _shape("Telegram token", rb"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b", b":AA"),
)  # fmt: skip


def _is_example(token: bytes) -> bool:
    return b"EXAMPLE" in token or token.startswith((b"{", b"<", b"%")) or _bits(token) < _LEAST_BITS


def _bits(token: bytes) -> float:
    """Return the entropy of a token for each of its characters."""
    counts = Counter(token).values()
    return -sum(count / len(token) * math.log2(count / len(token)) for count in counts)
