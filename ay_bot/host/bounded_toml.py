"""Reading TOML that anybody may have written: the parser takes a time that grows with the square of a key's parts."""

from typing import Final

MOST_CHARACTERS: Final = 512 * 1024
MOST_DOTS: Final = 300
"""Of one line, whether they part a key or not; a file with more than that isn't read."""


def read_toml(text: str) -> dict[str, object]:
    """Return the tables of a TOML file. Raises ValueError or RecursionError for what can't be read."""
    import tomllib

    if len(text) > MOST_CHARACTERS or any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        msg = f"it is longer than {MOST_CHARACTERS} characters, or a line has more than {MOST_DOTS} dots"
        raise ValueError(msg)
    return tomllib.loads(text)
