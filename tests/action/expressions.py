"""Expressions of GitHub Actions, as far as our action and workflows use them: what `if:` and `${{ }}` come to."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,])|(?P<end>\Z))"
)
STATUS = ("always", "success", "failure", "cancelled")


class Expression:
    """One expression, evaluated while it is parsed; both sides of an operator always are, which has no effects."""

    def __init__(self, text: str, contexts: Mapping[str, Any], status: str = "success") -> None:
        self.tokens = list(_tokens(text))
        self.contexts = contexts
        self.status = status

    def value(self) -> Any:
        found = self._either()
        assert self.tokens == [], f"not understood: {self.tokens}"
        return found

    def _next(self, *signs: str) -> str | None:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in signs else None

    def _either(self) -> Any:
        found = self._both()
        while self._next("||"):
            other = self._both()
            found = found if truth(found) else other
        return found

    def _both(self) -> Any:
        found = self._equal()
        while self._next("&&"):
            other = self._equal()
            found = other if truth(found) else found
        return found

    def _equal(self) -> Any:
        found = self._negated()
        while sign := self._next("==", "!="):
            found = (_comparable(found) == _comparable(self._negated())) is (sign == "==")
        return found

    def _negated(self) -> Any:
        return not truth(self._negated()) if self._next("!") else self._single()

    def _single(self) -> Any:
        if self._next("("):
            found = self._either()
            assert self._next(")")
            return found
        word = self.tokens.pop(0)
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        if self._next("("):
            return self._call(word)
        found = (
            self.contexts.get(word)
            if word not in ("true", "false", "null")
            else {"true": True, "false": False}.get(word)
        )
        while self._next("."):
            name = self.tokens.pop(0)
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _call(self, name: str) -> Any:
        given = []
        while not self._next(")"):
            given.append(self._either())
            self._next(",")
        if name in STATUS:
            return name == "always" or name == self.status
        functions: dict[str, Callable[..., bool]] = {
            "contains": lambda text, part: _text(part) in _text(text),
            "startsWith": lambda text, part: _text(text).startswith(_text(part)),
        }
        return functions[name](*given)


def evaluate(text: str, contexts: Mapping[str, Any], status: str = "success") -> Any:
    """Return what an expression comes to."""
    return Expression(text, contexts, status).value()


def holds(condition: str, contexts: Mapping[str, Any], status: str = "success") -> bool:
    """Return whether a job or step with this `if:` runs; without a word about the status, only after success."""
    if not condition:
        return status == "success"
    implied = any(f"{name}()" in condition for name in STATUS)
    return (implied or status == "success") and truth(evaluate(condition, contexts, status))


def fill(text: str, contexts: Mapping[str, Any]) -> str:
    """Return text with every `${{ }}` replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: shown(evaluate(found[1].strip(), contexts)), text, flags=re.DOTALL)


def shown(value: Any) -> str:
    return {None: "", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def truth(value: Any) -> bool:
    return value not in (None, False, "", 0)


def _text(value: Any) -> str:
    return shown(value).lower()


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else "" if value is None else value


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = TOKEN.match(text, place)
        assert found, f"not understood: {text[place:]}"
        place = found.end()
        if found.lastgroup != "end":
            yield found[found.lastgroup or 0]
