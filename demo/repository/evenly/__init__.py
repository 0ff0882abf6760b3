"""Shared bills, settled to the cent."""

from evenly.ledger import Ledger, Transfer
from evenly.money import format_amount, parse_amount
from evenly.split import split

__all__ = ["Ledger", "Transfer", "format_amount", "parse_amount", "split"]
