"""Refuse an image in which something runs at the start of every Python: `*.pth`, sitecustomize, usercustomize.

    python3 -I -S check_start_files.py [DIRECTORY...]

Without directories it looks through all that this interpreter loads from. Other environments are no concern of its.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("sitecustomize", "usercustomize")


def start_files(directory: Path) -> Iterator[Path]:
    """Yield what Python would run by itself if `directory` were on its path."""
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        if path.suffix == ".pth" or path.name.partition(".")[0] in NAMES:
            yield path


def searched_directories() -> Iterator[Path]:
    """Yield the directories from which this interpreter loads modules when it is started as usual, without -S."""
    yield from (Path(name) for name in sys.path)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = Path(sys.executable).parent.parent
    yield from (environment / library / version / "site-packages" for library in ("lib", "lib64"))


def main(directories: list[str]) -> int:
    """Print every such file and return how many there are, up to 1."""
    places = [Path(name) for name in directories] or list(searched_directories())
    found = dict.fromkeys(path for place in places for path in start_files(place))
    for path in found:
        sys.stderr.write(f"check_start_files: {path} would run at the start of every Python\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
