"""Secrets of the tests, and every way in which a text is written that hides one."""

import base64
import codecs
import json
from urllib.parse import quote

TOKEN = "ghs_" + "Zk3vQ8rT1mW5xY7bN2cF4dG6hJ9kLpAsDe0U"
MODEL_KEY = "sk-proj-" + "aB3-dE5_gH7jK9mN1pQ3sT5vW7yZ" * 5 + "Xq4"
UNNAMED = "q8Zr/3+VtL2xWm9K=cYb7Nd5Hf1Gj4Ps6Ta0Ue"
SECRETS = (TOKEN, MODEL_KEY, UNNAMED)


def _escaped(text, form):
    return "".join(form.format(ord(each)) for each in text)


def _wide(text):
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


ENCODINGS = {
    "plain": lambda text: text,
    "glued": lambda text: f"x{text}x",
    "reversed": lambda text: text[::-1],
    "upper case": str.upper,
    "lower case": str.lower,
    "a character a line": "\n".join,
    "a character a line, as code has it": lambda text: repr("\n".join(text)),
    "in lines, as JSON has it": lambda text: json.dumps(
        "\n\t".join(text[at : at + 7] for at in range(0, len(text), 7))
    ),
    "spaces every eight": lambda text: " ".join(text[at : at + 8] for at in range(0, len(text), 8)),
    "hyphens": "-".join,
    "zero width": "\u200b".join,
    "full width": _wide,
    "accents": lambda text: "".join(each + "\u0301" for each in text),
    "numbered lines": lambda text: "\n".join(f"{number}. {each}" for number, each in enumerate(text, 1)),
    "hex": lambda text: text.encode().hex(),
    "hex in pairs": lambda text: text.encode().hex(" "),
    "HEX": lambda text: text.encode().hex().upper(),
    "hex of C": lambda text: _escaped(text, "\\x{:02x}"),
    "hex of an array": lambda text: ", ".join(f"0x{ord(each):02x}" for each in text),
    "unicode escapes": lambda text: _escaped(text, "\\u{:04x}"),
    "character references": lambda text: _escaped(text, "&#{};"),
    "decimal": lambda text: str(list(text.encode())),
    "octal": lambda text: _escaped(text, "\\{:03o}"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, one before": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64, two before": lambda text: base64.b64encode(b"xy" + text.encode() + b"z").decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "base64 reversed": lambda text: base64.b64encode(text.encode()).decode()[::-1],
    "base64 of the reverse": lambda text: base64.b64encode(text[::-1].encode()).decode(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32, three before": lambda text: base64.b32encode(b"xyz" + text.encode()).decode(),
    "percent of all": lambda text: _escaped(text, "%{:02x}"),
    "percent of some": lambda text: "".join(each if at % 3 else f"%{ord(each):02X}" for at, each in enumerate(text)),
    "percent of percent": lambda text: _escaped(text, "%25{:02X}"),
    "as in an address": lambda text: quote(text, safe=""),
    "rot13": lambda text: codecs.encode(text, "rot13"),
}
