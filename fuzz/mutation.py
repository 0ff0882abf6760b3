"""Broken inputs that still look right: one part of a JSON line, of XML or of lines is changed, the rest stays whole."""

import contextlib
import json
import random
import re
from collections.abc import Callable, Sequence

from fuzz.target import Shape

Bytes = Callable[[bytes, int], bytes]
"""A mutation of plain bytes: data, the most that may come out."""

NUMBERS = (
    float("inf"),
    float("nan"),
    10**400,
    0,
    -1,
    1,
    2**31,
    2**53,
    2**63,
    -(2**63),
    2**64,
    10**30,
    0.5,
    -0.0,
    1e308,
    True,
    False,
    None,
)
TEXTS = (
    "", "\0", "\ud800", "\x1b[2J", "../../x", ".git/config", "GIT~1", ".g\u200cit", "a\nb", "::set-output name=x::y",
    "-oProxyCommand=x", "https://evil.example/?q=1", "<!-- x -->", "\u202e", "a" * 300, "120000", "\ufffd", "%0A", "{}",
    ".github/workflows/x.yml", "@all", "fixes #1", "e\u0301", "COM1", "\N{LATIN SMALL LETTER DOTLESS I}", "\xff",
)  # fmt: skip
TAGS = (
    "<testcase>", "</testcase>", "<failure>", '<testsuite failures="1">', "</testsuite>", "<skipped/>", "<!DOCTYPE x>",
    '<!ENTITY a "b">', "&a;", "&#x0;", "<![CDATA[", "]]>", "<?x y?>", "<!--", "-->", 'name=""', "<error/>", "&#55296;",
)  # fmt: skip
LINES = (
    "@@ -1,3 +1,3 @@", "--- a/x.py", "+++ /dev/null", "diff --git a/x b/x", "GIT binary patch", "rename from x", "```",
    "*** Begin Patch", "*** End Patch", "*** Update File: x", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "+", "-",
    "\\ No newline at end of file", "@@ -0,0 +1 @@", "@@ -99999999999,1 +1 @@", "new file mode 120000", '"a\\303"',
    "a: &a [*a, *a]", "  - x: y", "<details>", "![x](https://evil.example)", "[x]: #", "> ", "@ay fix", "literal 9999",
)  # fmt: skip


class Mutator:
    """Changes inputs of one shape; `plain` is the fuzzer's own mutation of bytes."""

    def __init__(self, shape: Shape, seeds: Sequence[bytes], plain: Bytes) -> None:
        self._shape = shape
        self._plain = plain
        self._seeds = seeds
        self._nodes: list[object] = []
        if shape == "json":
            for seed in seeds:
                with contextlib.suppress(ValueError):  # a seed may be something else on purpose
                    self._remember(_read(seed.partition(b"\n")[0]))
        self._parts = [part for seed in seeds for part in _split(shape, seed)] if shape != "json" else []

    def __call__(self, data: bytes, most: int, seed: int) -> bytes:
        """Return something near `data`, of at most `most` bytes."""
        chance = random.Random(seed)
        if chance.random() < 0.2:
            return self._plain(data, most)
        try:
            for _ in range(1 + int(chance.random() ** 3 * 5)):
                data = self._json(data, chance, most) if self._shape == "json" else self._text(data, chance)
                if len(data) > most:
                    break  # what grows in every round is the fuzzer's memory, not the parser's
        except (ValueError, RecursionError, OverflowError):
            return self._plain(data, most)
        return data[:most]

    def _json(self, data: bytes, chance: random.Random, most: int) -> bytes:
        line, end, rest = data.partition(b"\n")
        if rest and chance.random() < 0.2:
            return line + end + self._plain(rest, most)
        if chance.random() < 0.05:
            return chance.choice(self._seeds) + data
        value = self._changed(_read(line), chance, 0)
        try:
            text = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode()
        except UnicodeEncodeError:
            text = json.dumps(value).encode()
        return text + end + rest

    def _changed(self, value: object, chance: random.Random, depth: int) -> object:
        """Return a value in which one node is another."""
        if depth < 12 and isinstance(value, dict) and value and chance.random() < 0.8:
            return self._object(value, chance, depth)
        if depth < 12 and isinstance(value, list) and value and chance.random() < 0.8:
            return self._list(value, chance, depth)
        return self._node(value, chance)

    def _object(self, value: dict[str, object], chance: random.Random, depth: int) -> object:
        name = chance.choice(list(value))
        dice = chance.random()
        if dice < 0.1:
            return {key: each for key, each in value.items() if key != name}
        if dice < 0.2:
            return {**value, chance.choice(TEXTS): chance.choice(NUMBERS)}
        if dice < 0.25:
            return {chance.choice(TEXTS) if key == name else key: each for key, each in value.items()}
        return {**value, name: self._changed(value[name], chance, depth + 1)}

    def _list(self, value: list[object], chance: random.Random, depth: int) -> object:
        at = chance.randrange(len(value))
        dice = chance.random()
        if dice < 0.1:
            return value[:at] + value[at + 1 :]
        if dice < 0.2:
            return value[:at] + [value[at]] * chance.choice((2, 3, 60)) + value[at + 1 :]
        if dice < 0.3:
            return [*value, chance.choice(self._nodes or NUMBERS)]
        return [*value[:at], self._changed(value[at], chance, depth + 1), *value[at + 1 :]]

    def _node(self, value: object, chance: random.Random) -> object:
        dice = chance.random()
        if isinstance(value, str) and dice < 0.5:
            at = chance.randrange(len(value) + 1)
            return value[:at] + chance.choice(TEXTS) + value[at + chance.choice((0, 0, 1, 9)) :]
        if isinstance(value, (int, float)) and dice < 0.5:
            return chance.choice([each for each in NUMBERS if type(each) is type(value)])
        if isinstance(value, str) and dice < 0.6:
            return self._plain(value.encode("utf-8", "surrogatepass") or b"x", 400).decode("utf-8", "replace")
        if dice < 0.75:
            return chance.choice(self._nodes or NUMBERS)
        if dice < 0.78:
            return _nested(chance.choice((3, 100, 2000)))
        return chance.choice((*NUMBERS, *TEXTS, [], {}, [value], {"type": value}))

    def _remember(self, value: object) -> None:
        self._nodes.append(value)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._remember(each)

    def _text(self, data: bytes, chance: random.Random) -> bytes:
        parts = _split(self._shape, data) or [b""]
        at = chance.randrange(len(parts))
        known = chance.choice(TAGS if self._shape == "xml" else LINES).encode()
        ending = b"" if self._shape == "xml" else b"\n"
        dice = chance.random()
        if dice < 0.15:
            del parts[at]
        elif dice < 0.3:
            parts[at] = parts[at] * chance.choice((2, 3, 40))
        elif dice < 0.45:
            parts.insert(at, known + ending)
        elif dice < 0.6:
            parts.insert(at, chance.choice(self._parts or [known]))
        elif dice < 0.7:
            other = chance.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        elif dice < 0.85:
            parts[at] = _with_text(parts[at], chance)
        else:
            parts[at] = self._plain(parts[at] or b"x", 2 * len(parts[at]) + 8)
        return b"".join(parts)


def _with_text(part: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(part) + 1)
    return part[:at] + chance.choice(TEXTS).encode("utf-8", "surrogatepass") + part[at:]


def _read(line: bytes) -> object:
    return json.loads(line.decode("utf-8", "surrogatepass"))


def _split(shape: Shape, data: bytes) -> list[bytes]:
    return re.findall(rb"<[^>]*>|[^<]+|<", data) if shape == "xml" else data.splitlines(keepends=True)


def _nested(depth: int) -> object:
    value: object = 1
    for _ in range(min(depth, 900)):
        value = [value]
    return value
