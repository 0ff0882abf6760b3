"""Line numbers that a model copied together with the lines that it saw."""

import re

NUMBERED = re.compile(r"[* ]*(\d+)(?:\t|→| ?\| ?|:| )(.*)")


def strip_numbers(search: str, replace: str) -> tuple[str, str] | None:
    """Both texts without the numbers before their lines; None where the lines of `search` are not counted so."""
    found = [NUMBERED.fullmatch(line) for line in search.splitlines()]
    lines = [line for line in found if line]
    numbers = [int(line[1]) for line in lines]
    if len(lines) < max(len(found), 2) or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return _joined([line[2] for line in lines]), _joined([_bare(line) for line in replace.splitlines()])


def _bare(line: str) -> str:
    numbered = NUMBERED.fullmatch(line)
    return numbered[2] if numbered else line


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
