"""A small grep, run as a program of its own so that a time limit can end a pattern that never does."""

import os
import re
import sys
from collections.abc import Iterator

MAX_FILE = 4 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """Print matches as path:line:text; 0 for some, 1 for none, 2 for a pattern that can't be read."""
    per_file, columns, pattern, where = int(arguments[0]), int(arguments[1]), arguments[2], arguments[3]
    try:
        expression = re.compile(pattern)
    except re.error as error:
        sys.stderr.write(f"the pattern can't be read: {error}\n")
        return 2
    found = 1
    for path in _files(where):
        for line in _matches(path, expression, per_file):
            found = 0
            sys.stdout.write(line[: columns + len(path)] + "\n")
    return found


def _files(where: str) -> Iterator[str]:
    if not os.path.isdir(where):  # noqa: PTH112 - a program of its own, kept light
        yield where
        return
    for directory, below, files in os.walk(where):
        below[:] = sorted(name for name in below if name != ".git")
        for name in sorted(files):
            yield os.path.join(directory, name).removeprefix("./")  # noqa: PTH118 - as above


def _matches(path: str, expression: re.Pattern[str], limit: int) -> Iterator[str]:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MAX_FILE:  # noqa: PTH113, PTH202 - as above
            return
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            content = file.read()
    except OSError:
        return
    if b"\0" in content[:8192]:
        return
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if expression.search(line):
            yield f"{path}:{number}:{line.rstrip()}"
            limit -= 1
            if not limit:
                return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
