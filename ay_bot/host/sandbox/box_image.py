"""What the box image is made of, where the bot's own image carries it for an engine that lacks the box image."""

import io
import tarfile
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from ay_bot.errors import ImageUnavailable
from ay_bot.host.image import PACKAGE, carried_files

SECONDS: Final = 1800
"""How long a build may be silent."""
TARGET: Final = "box"
_BASE_FILE: Final = "base"
_SOURCES: Final = ("Dockerfile", "scripts/make_runtime.py")
_CERTIFICATES: Final = "build/certificates.pem"


def find_sources() -> Path | None:
    """Return the directory with all that the box image is made of, if this is the bot's image."""
    source = PACKAGE.parent
    return source if (source / _BASE_FILE).is_file() else None


def base_of(source: Path) -> str:
    """Return what the bot's image was built on, which the box image is built on too."""
    return (source / _BASE_FILE).read_text(encoding="utf-8").strip()


@contextmanager
def open_context(source: Path, certificates: str = "") -> Iterator[IO[bytes]]:
    """Open the build's context as a tar; `certificates` is a file for a package registry behind a proxy."""
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path in (*(source / name for name in _SOURCES), *carried_files()):
                _add(tar, path.relative_to(source).as_posix(), path.read_bytes())
            if certificates and Path(certificates).is_file():
                _add(tar, _CERTIFICATES, Path(certificates).read_bytes())
        packed.seek(0)
        yield packed


def require_built(said: Iterable[Mapping[str, object]], name: str) -> None:
    """Follow a build to its end, and raise ImageUnavailable with the engine's last words if it fails."""
    words: deque[str] = deque(maxlen=20)
    for step in said:
        words.append(str(step.get("stream") or step.get("error") or "").strip())
        if "error" in step:
            last = "\n".join(filter(None, words))[-2000:]
            hint = "run scripts/build-image on this engine first, or pull a published box image and tag it so"
            raise ImageUnavailable(f"the image {name} is not on this engine and can't be built:\n{last}", hint=hint)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
