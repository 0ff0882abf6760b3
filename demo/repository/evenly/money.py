"""Amounts of money: whole cents inside, text outside."""


def parse_amount(text: str) -> int:
    """Turn "12.50", "12.5" or "12" into 1250 or 1200 cents."""
    euros, _, cents = text.strip().partition(".")
    if not euros.isdigit() or not (cents or "0").isdigit() or len(cents) > 2:
        raise ValueError(f"not an amount: {text!r}")
    return int(euros) * 100 + int(cents.ljust(2, "0"))


def format_amount(cents: int) -> str:
    """Turn 1250 cents into "12.50"."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
