"""Rules of which commands an agent may run: prefixes of words, with examples that are checked when a rule is made.

They guide an honest agent. They are no wall: whoever wants to run a forbidden program finds a way, and the box holds.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ay_bot.protocol.conversation import Value

Decision = Literal["allow", "forbid"]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Alternatives = Annotated[tuple[Text, ...], Field(min_length=1, max_length=50)]
Words = Sequence[str | None]
"""The words of a simple command; None for one that only a shell can tell, such as `$X`."""

WRAPPERS: dict[str, tuple[str, int]] = {
    "builtin": ("", 0), "chroot": ("", 1), "command": ("", 0), "doas": ("uC", 0), "env": ("uCS", 0), "exec": ("a", 0),
    "ionice": ("cnp", 0), "nice": ("n", 0), "nohup": ("", 0), "setsid": ("", 0), "stdbuf": ("ioe", 0),
    "sudo": ("ughpCDRT", 0), "time": ("fo", 0), "timeout": ("sk", 1), "xargs": ("IinPLldasE", 0),
}  # fmt: skip
"""Programs that run the command behind their options: which of those take a word, and how many words come before it."""
HARMLESS = frozenset({
    ":", "[", "break", "cd", "continue", "echo", "exit", "false", "printf", "pwd", "read", "return", "set", "shift",
    "test", "true", "wait",
})  # fmt: skip
"""What does nothing by itself; a list of allowed commands need not name it."""
_OPERATORS = frozenset("();<>|&")
_MARKS = re.compile(r"[();<>|&`$'\"{}\\]")


class CommandRule(Value):
    """A decision on every command that begins with certain words."""

    prefix: Annotated[tuple[Text | Alternatives, ...], Field(min_length=1, max_length=20)]
    """The first words of the command; a list in place of a word holds alternatives."""
    decision: Decision = "forbid"
    """Whether such a command may run. Where several rules match, the strictest decides."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why, and what to do instead; the agent is told."""
    match: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    """Commands that the rule must match; a rule that doesn't is a mistake in the configuration."""
    not_match: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    """Commands that the rule must not match."""

    @model_validator(mode="after")
    def _examples_hold(self) -> Self:
        for example in self.match:
            if not self.matches(split_example(example)):
                raise ValueError(f"the rule {self.shown} does not match its own example `{example}`")
        for example in self.not_match:
            if self.matches(split_example(example)):
                raise ValueError(f"the rule {self.shown} matches `{example}`, which it must not")
        return self

    @property
    def shown(self) -> str:
        """The rule as people write it."""
        words = (word if isinstance(word, str) else f"[{', '.join(word)}]" for word in self.prefix)
        return f"[{', '.join(words)}]"

    def matches(self, words: Words) -> bool:
        """Whether a simple command begins with the prefix; the program counts by its name, wherever it lies."""
        if len(words) < len(self.prefix):
            return False
        program = words[0].rpartition("/")[2] if words[0] else None
        return (_is_one_of(words[0], self.prefix[0]) or _is_one_of(program, self.prefix[0])) and all(
            _is_one_of(word, wanted) for word, wanted in zip(words[1:], self.prefix[1:], strict=False)
        )


class CommandPolicy(Value):
    """All rules; `others` decides on a command that none of them matches."""

    rules: tuple[CommandRule, ...] = ()
    others: Decision = "allow"

    @property
    def silent(self) -> bool:
        """Whether there is nothing to judge."""
        return not self.rules and self.others == "allow"


class Judgement(NamedTuple):
    """What becomes of a command. `rule` is the place of the deciding one among the rules, None for `others`."""

    decision: Decision
    rule: int | None
    words: tuple[str | None, ...]


def judge_words(words: Words, policy: CommandPolicy) -> Judgement:
    """Judge one simple command, and what it runs in turn where it is a wrapper such as `env`."""
    layers = [tuple(layer) for layer in _layers(words)]
    found = {rule.decision: number for number, rule in reversed([*enumerate(policy.rules)]) for layer in layers
             if rule.matches(layer)}  # fmt: skip
    for decision in ("forbid", "allow"):
        if decision in found:
            return Judgement(decision, found[decision], layers[0])
    harmless = not words or bool(layers[-1] and layers[-1][0] in HARMLESS)
    return Judgement("allow" if harmless else policy.others, None, layers[0])


def judge_text(text: str, policy: CommandPolicy) -> Judgement:
    """Judge what no shell parser understood: a forbidden prefix anywhere in it counts."""
    words = tuple(_MARKS.sub(" ", text).split())
    for number, rule in enumerate(policy.rules):
        if rule.decision == "forbid" and any(rule.matches(words[start:]) for start in range(len(words))):
            return Judgement("forbid", number, words)
    return Judgement(policy.others, None, words)


def split_example(example: str) -> tuple[str, ...]:
    """Return the words of one simple command. Raises ValueError if it is none."""
    lexer = shlex.shlex(example, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = tuple(lexer)
    except ValueError as error:
        raise ValueError(f"the example `{example}` can't be read: {error}") from None
    if not words or any(set(word) <= _OPERATORS for word in words if word):
        raise ValueError(f"the example `{example}` is not one simple command")
    return words


def _is_one_of(word: str | None, wanted: str | tuple[str, ...]) -> bool:
    return word is not None and (word == wanted if isinstance(wanted, str) else word in wanted)


def _layers(words: Words) -> Iterator[Words]:
    """The command, and the command in it as long as it is a wrapper."""
    yield words
    while words and words[0] is not None and (name := words[0].rpartition("/")[2]) in WRAPPERS:
        words = _behind(words[1:], *WRAPPERS[name])
        yield words


def _behind(words: Words, with_argument: str, arguments: int) -> Words:
    at = 0
    while at < len(words) and (word := words[at]) is not None and (word.startswith("-") or "=" in word):
        at += 2 if len(word) == 2 and word[1] in with_argument else 1
    return words[at + arguments :]
