"""Who owes how much of one bill."""

from collections.abc import Mapping


def split(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Split `total` cents between people, in proportion to their weights."""
    if not weights or min(weights.values()) < 0 or not any(weights.values()):
        raise ValueError("somebody has to pay")
    whole = sum(weights.values())
    return {person: round(total * weight / whole) for person, weight in weights.items()}
