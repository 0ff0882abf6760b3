"""A trip's bills, and the transfers that settle them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from evenly.split import split


class Transfer(NamedTuple):
    """`payer` gives `receiver` an amount of cents."""

    payer: str
    receiver: str
    cents: int


class Ledger:
    """Everything that was paid for, by whom and for whom."""

    def __init__(self) -> None:
        self._balances: dict[str, int] = defaultdict(int)

    def pay(self, payer: str, total: int, weights: Mapping[str, int]) -> None:
        """Record that `payer` paid a bill of `total` cents for everybody in `weights`."""
        self._balances[payer] += total
        for person, share in split(total, weights).items():
            self._balances[person] -= share

    def balances(self) -> dict[str, int]:
        """What everybody gets back (above zero) or still has to pay (below zero)."""
        return dict(self._balances)

    def settle(self) -> list[Transfer]:
        """The transfers after which nobody owes anybody anything."""
        if off := sum(self._balances.values()):
            raise ValueError(f"the books are off by {off} cents")
        receivers = sorted((cents, person) for person, cents in self._balances.items() if cents > 0)
        payers = sorted(((-cents, person) for person, cents in self._balances.items() if cents < 0))
        transfers = []
        while payers:
            (owed, receiver), (owing, payer) = receivers.pop(), payers.pop()
            cents = min(owed, owing)
            transfers.append(Transfer(payer, receiver, cents))
            if owed > cents:
                receivers.append((owed - cents, receiver))
            if owing > cents:
                payers.append((owing - cents, payer))
        return transfers
