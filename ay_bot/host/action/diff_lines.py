"""The lines of a diff that a remark of a review can stand on."""

import re
from collections.abc import Mapping

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")


def read_new_lines(diff: str) -> Mapping[str, frozenset[int]]:
    """Return, for each file, the numbers of the lines on the new side that a unified diff shows."""
    found: dict[str, set[int]] = {}
    path, number, left = "", 0, 0
    for line in diff.split("\n"):
        if left > 0 and line[:1] in (" ", "+", ""):
            found.setdefault(path, set()).add(number)
            number, left = number + 1, left - 1
        elif left > 0 and line[:1] in ("-", "\\"):
            continue
        elif line.startswith("+++ "):
            path = line[4:].rstrip("\t").removeprefix("b/")
        elif hunk := _HUNK.match(line):
            number, left = int(hunk[1]), int(hunk[2] or 1)
    return {name: frozenset(numbers) for name, numbers in found.items() if name and name != "/dev/null"}
