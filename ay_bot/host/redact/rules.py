"""Where a text holds somebody's key by its shape: literals are looked for first, and only then expressions."""

from functools import cached_property
from typing import TYPE_CHECKING

from ay_bot.host.redact.library import USED, library_rules
from ay_bot.host.redact.shapes import OURS, Rule

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick


class Rules:
    """All rules. The library is loaded when a text first holds a literal of one of its rules."""

    def find(self, data: bytes) -> list[tuple[int, int, str]]:
        """Return the spans of data that look like keys, each with the rule's name."""
        hits = self._automaton.find_matches_as_indexes(data, overlapping=True)
        near = {self._literals[index][1] for index, _, _ in hits}
        return sorted((*span, rule.name) for name in near for rule in _rules_of(name) for span in rule.find(data))

    @cached_property
    def _literals(self) -> tuple[tuple[bytes, Rule | str], ...]:
        ours = ((literal, shape.rule) for shape in OURS for literal in shape.literals)
        return (*ours, *((literal, name) for name, literals in USED.items() for literal in literals))

    @cached_property
    def _automaton(self) -> "BytesAhoCorasick":
        from ahocorasick_rs import BytesAhoCorasick, MatchKind

        return BytesAhoCorasick([literal for literal, _ in self._literals], matchkind=MatchKind.Standard)


def _rules_of(rule: Rule | str) -> tuple[Rule, ...]:
    return library_rules()[rule] if isinstance(rule, str) else (rule,)
