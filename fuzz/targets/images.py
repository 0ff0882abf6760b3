"""The bytes of an image, from whoever dropped it into a comment."""

import base64
import struct

from ay_bot.host.models.images import MOST_PIXELS, parse_image

from fuzz.target import Target


def parse(data: bytes) -> None:
    """Read the header: bytes are an image of a size that is taken, or refused."""
    try:
        image = parse_image("name", data)
    except ValueError:
        return
    assert 0 < image.part.width <= MOST_PIXELS and 0 < image.part.height <= MOST_PIXELS
    assert image.data == data


SEEDS = [
    b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII5B", 13, b"IHDR", 3, 2, 8, 2, 0, 0, 0) + b"\0\0\0\0",
    b"GIF89a" + struct.pack("<HH", 7, 5) + b"\0\0\0",
    base64.b64decode("/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAAJAAQDASIAAhEBAxEB/9k="),
    b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\x10\x02\0\x9d\x01\x2a" + struct.pack("<HH", 20, 10),
    b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f" + struct.pack("<I", 19 | 9 << 14) + b"\0\0\0",
    b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (19).to_bytes(3, "little") + (9).to_bytes(3, "little"),
]
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", longest=200, share=0.02)
