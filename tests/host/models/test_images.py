"""Only what is an image goes along: by its bytes, small enough, and out of no other directory than the issue's."""

import base64
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.models import images
from ay_bot.host.models.images import collect_images, find_images, read_images


def png(width: int = 3, height: int = 2) -> bytes:
    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))


GIF = b"GIF89a" + struct.pack("<HH", 7, 5) + b"\0\0\0"
JPEG = base64.b64decode("/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAAJAAQDASIAAhEBAxEB/9k=")
WEBP = {
    "lossy": b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\x10\x02\0\x9d\x01\x2a" + struct.pack("<HH", 20, 10),
    "lossless": b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f" + struct.pack("<I", 19 | 9 << 14) + b"\0\0\0",
    "extended": b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (19).to_bytes(3, "little") + (9).to_bytes(3, "little"),
}


@pytest.mark.parametrize(
    ("data", "media_type", "size"),
    [
        (png(), "image/png", (3, 2)),
        (GIF, "image/gif", (7, 5)),
        (JPEG, "image/jpeg", (4, 9)),
        *((data, "image/webp", (20, 10)) for data in WEBP.values()),
    ],
)
def test_each_kind_is_known_by_its_bytes(tmp_path: Path, data: bytes, media_type: str, size: tuple[int, int]):
    path = tmp_path / "whatever.txt"
    path.write_bytes(data)
    (image,) = read_images([path])
    assert image.part.media_type == media_type
    assert (image.part.width, image.part.height) == size
    assert image.data == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no PNG"),
        (b"<svg/>", "no PNG"),
        (png()[:18], "cut off"),
        (png(9_000), "9000 by 2 pixels"),
        (png(0), "0 by 2"),
        (png() + b"x" * images.MOST_BYTES, "bytes"),
        (b"\xff\xd8\xff\xff\xff", "no PNG"),
    ],
)
def test_everything_else_is_refused(tmp_path: Path, data: bytes, words: str):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=words):
        read_images([path])


def test_no_file_and_a_directory_are_refused(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.png", Path("/dev/zero")):
        with pytest.raises(UsageError):
            read_images([path])


def test_images_that_an_issue_shows(tmp_path: Path):
    (tmp_path / "issue" / "sub").mkdir(parents=True)
    (tmp_path / "issue" / "sub" / "shot one.png").write_bytes(png())
    (tmp_path / "issue" / "b.png").write_bytes(png(5))
    (tmp_path / "secret.png").write_bytes(png(6))
    (tmp_path / "issue" / "link.png").symlink_to(tmp_path / "secret.png")
    text = (
        "![a](b.png) ![again](./b.png) ![titled](b.png 'title') ![up](../secret.png) ![link](link.png)\n"
        "![net](https://example.org/x.png) ![absolute](/etc/passwd) ![text](issue.md) [no image](b.png) ![](none.png)"
    )
    (tmp_path / "issue" / "issue.md").write_text(text)
    found = find_images(text, tmp_path / "issue")
    assert [image.part.name for image in found.images] == ["b.png"]
    told = "\n".join(found.notices)
    for words in (
        "`../secret.png` is left out: it lies outside",
        "`link.png`",
        "nothing is fetched",
        "/etc/passwd",
        "issue.md",
        "none.png",
    ):
        assert words in told


@pytest.mark.parametrize(
    "text",
    [
        "![a][shot]\n\n[shot]: sub/shot%20one.png", "![shot]\n\n[SHOT]: <sub/shot one.png> 'title'", "![a](<sub/shot one.png>)",
        '<img width="600" alt="a" src="sub/shot one.png">', "<p align=center><img src='./sub/shot%20one.png'/></p>",
    ],
)  # fmt: skip
def test_images_that_an_issue_shows_in_other_words(tmp_path: Path, text: str):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "shot one.png").write_bytes(png())
    assert len(find_images(text, tmp_path).images) == 1
    assert find_images(f"<!-- {text} -->", tmp_path) == images.Found()
    assert find_images(text.replace("sub/", "https://x.example/"), tmp_path).images == ()


@pytest.mark.parametrize("name", ["../secret.png", "%2e%2e/secret.png", "link.png", "..%2Fsecret.png", "/secret.png"])
@pytest.mark.parametrize("form", ["![a]({})", "![a][b]\n\n[b]: {}", '<img src="{}">'])
def test_no_form_of_an_image_leads_out_of_the_issues_directory(tmp_path: Path, form: str, name: str):
    (tmp_path / "issue").mkdir()
    (tmp_path / "secret.png").write_bytes(png())
    (tmp_path / "issue" / "link.png").symlink_to(tmp_path / "secret.png")
    found = find_images(form.format(name), tmp_path / "issue")
    assert found.images == ()
    assert "lies outside" in found.notices[0]


def test_only_so_many_go_along(tmp_path: Path):
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(png(number + 1))
    text = " ".join(f"![]({number}.png)" for number in range(12))
    found = find_images(text, tmp_path)
    assert len(found.images) == images.MOST_IMAGES
    assert len(found.notices) == 12 - images.MOST_IMAGES
    with pytest.raises(UsageError, match="only 8"):
        read_images(tmp_path / f"{number}.png" for number in range(9))
    named = collect_images([tmp_path / "0.png"], text, str(tmp_path / "issue.md"))
    assert len(named.images) == images.MOST_IMAGES
    assert named.images[0].part.name == "0.png"
    assert collect_images([], text, "-").images == ()


@given(st.sampled_from([png(), GIF, JPEG, *WEBP.values()]), st.integers(0, 40), st.binary(max_size=20))
def test_any_bytes_are_an_image_or_refused(data, place, noise):
    changed = data[:place] + noise + data[place + len(noise) :]
    try:
        part = images.parse_image("n", changed).part
    except ValueError:
        return
    assert 0 < part.width <= images.MOST_PIXELS
    assert part.tokens > 0
