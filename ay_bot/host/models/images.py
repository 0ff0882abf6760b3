"""Images of a task: those that a person names, and those that an issue's file shows; judged before anybody sees them.

What a file says of itself counts, not its name: its first bytes and the size that its header tells.
"""

import hashlib
import re
import stat
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from ay_bot.errors import UsageError
from ay_bot.protocol.conversation import ImagePart
from ay_bot.protocol.messages import Image

MOST_IMAGES: Final = 8
MOST_BYTES: Final = 3_750_000  # Anthropic takes 5 MB of Base64
MOST_BYTES_IN_ALL: Final = 15_000_000
MOST_PIXELS: Final = 8_000  # on a side
LEFT_OUT: Final = "the image `{name}` is left out: {reason}"
MOST_SHOWN: Final = 50
LONGEST_NAME: Final = 500
START_OF_FRAME: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


class Found(NamedTuple):
    """The images that go along, and what people are told of the others."""

    images: tuple[Image, ...] = ()
    notices: tuple[str, ...] = ()


def collect_images(paths: Iterable[Path], text: str, issue: str | None) -> Found:
    """Return the images that are named, and those that an issue shows whose file is named. Raises UsageError."""
    named = read_images(paths)
    shown = find_images(text, Path(issue).parent) if issue and issue != "-" else Found()
    bounded = _bounded([*named, *shown.images])
    return Found(bounded.images, (*shown.notices, *bounded.notices))


def read_images(paths: Iterable[Path]) -> tuple[Image, ...]:
    """Return the images of these files. Raises UsageError for a file that is none."""
    images = []
    for path in paths:
        try:
            images.append(parse_image(path.name, _read(path)))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "give PNG, JPEG, GIF or WebP files of at most 3.75 MB"
            raise UsageError(f"the image `{path}` can't be used: {reason}", hint=hint) from None
    bounded = _bounded(images)
    if bounded.notices:
        raise UsageError(bounded.notices[0], hint=f"give at most {MOST_IMAGES} images, of 15 MB in all")
    return bounded.images


def find_images(text: str, directory: Path) -> Found:
    """Return the images that a text in Markdown shows out of its own directory; others are told of, and left out."""
    from ay_bot.host.shown_images import shown_images

    images, notices = [], []
    for name in dict.fromkeys(address[:LONGEST_NAME] for _, address in shown_images(text, MOST_SHOWN)):
        try:
            images.append(parse_image(name, _read(_inside(name, directory))))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            notices.append(LEFT_OUT.format(name=name, reason=reason))
    bounded = _bounded(images)
    return Found(bounded.images, (*notices, *bounded.notices))


def _bounded(images: list[Image]) -> Found:
    kept: list[Image] = []
    notices = []
    for image in images:
        if image.part.digest in {one.part.digest for one in kept}:
            continue
        if len(kept) == MOST_IMAGES:
            notices.append(LEFT_OUT.format(name=image.part.name, reason=f"only {MOST_IMAGES} go along"))
        elif sum(len(one.data) for one in (*kept, image)) > MOST_BYTES_IN_ALL:
            notices.append(LEFT_OUT.format(name=image.part.name, reason="together they are too large"))
        else:
            kept.append(image)
    return Found(tuple(kept), tuple(notices))


def _inside(name: str, directory: Path) -> Path:
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", name):
        raise ValueError("nothing is fetched from the network")
    path = (directory / name).resolve()
    if not path.exists():  # in Markdown a name with spaces is written with %20
        path = (directory / unquote(name)).resolve()
    if not path.is_relative_to(directory.resolve()):
        raise ValueError("it lies outside of the issue's directory")
    return path


def _read(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no file")
    if status.st_size > MOST_BYTES:
        raise ValueError(f"it has {status.st_size:,} bytes, and {MOST_BYTES:,} are taken")
    return path.read_bytes()[:MOST_BYTES]


def parse_image(name: str, data: bytes) -> Image:
    """Return the image that some bytes are. Raises ValueError."""
    try:
        found = [(media_type, size) for media_type, measure in KINDS.items() if (size := measure(data))]
    except (struct.error, IndexError):
        raise ValueError("its header is cut off") from None
    if not found:
        raise ValueError("it is no PNG, JPEG, GIF or WebP")
    media_type, (width, height) = found[0]
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise ValueError(f"it is {width} by {height} pixels large, and {MOST_PIXELS} are taken")
    digest = hashlib.sha256(data).hexdigest()
    shown = "".join(character for character in name if character.isprintable())[:200]
    part = ImagePart.model_validate(
        {"digest": digest, "media_type": media_type, "width": width, "height": height, "name": shown}
    )
    return Image(part=part, data=data)


def _png(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif(data: bytes) -> tuple[int, int] | None:
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = (int.from_bytes(data[start : start + 3], "little") + 1 for start in (24, 27))
            return width, height
        case _:
            return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    for place, marker in _segments(data):
        if marker in START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        yield place, marker
        place += 2 + max(struct.unpack_from(">H", data, place + 2)[0], 2)


KINDS: Final[Mapping[str, Callable[[bytes], tuple[int, int] | None]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}
"""How each kind tells its width and height; None where it is of another kind."""
