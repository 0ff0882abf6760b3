"""The names of the box image and of its runtime: they follow from what the image would hold."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ay_bot import __version__

PACKAGE = Path(__file__).resolve().parent.parent
REPOSITORY = "ay-bot"
EGRESS_RECIPE = PACKAGE / "host" / "egress" / "Dockerfile"
CARRIED = ("__init__.py", "errors.py", "protocol", "agent")


def carried_files() -> Iterator[Path]:
    """Yield every file of the package that the box holds, in a stable order."""
    for name in CARRIED:
        path = PACKAGE / name
        if path.is_file():
            yield path
        else:
            yield from sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


@cache
def digest() -> str:
    """Return twelve hex digits that change whenever a carried file does."""
    state = hashlib.sha256()
    for path in carried_files():
        content = path.read_bytes()
        state.update(f"{path.relative_to(PACKAGE).as_posix()}\0{len(content)}\0".encode() + content)
    return state.hexdigest()[:12]


def image_name() -> str:
    """Return the name of the box image that belongs to this version of ay-bot."""
    return f"{REPOSITORY}:{__version__}-{digest()}"


def egress_image_name() -> str:
    """Return the name of the image that the proxy beside a box runs in; the program in it comes with each start."""
    return f"{REPOSITORY}-egress:{hashlib.sha256(EGRESS_RECIPE.read_bytes()).hexdigest()[:12]}"


def runtime_volume() -> str:
    """Return the name of the volume that carries the runtime into boxes of other images."""
    return f"{REPOSITORY}-runtime-{digest()}"


if __name__ == "__main__":
    import sys

    sys.stdout.write(f"{egress_image_name() if sys.argv[1:] == ['egress'] else image_name()}\n")
