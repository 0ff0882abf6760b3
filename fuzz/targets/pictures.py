"""Words of anybody that show images: where those are, and which of their addresses are asked for."""

from urllib.parse import urlsplit

from ay_bot.host.github.picture_addresses import find_signed, judge_address, judge_redirect, places_of
from ay_bot.host.github.pictures import mark_pictures, settle
from ay_bot.host.github.thread import Passage
from ay_bot.host.sanitize_blocks import Trust

from fuzz.target import Target

NONCE = "0123456789abcdef"
UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"
PLACES = places_of("https://github.com", "https://api.github.com")


def parse(data: bytes) -> None:
    """Mark and judge: whatever is asked for is GitHub's, and no mark is left."""
    text = data.decode("utf-8", "replace")
    passage = Passage(trust=Trust.OUTSIDER, author="mallory", where="comment 1", text=text, place="issues/1")
    marked, pictures = mark_pictures(passage, NONCE)
    settled = settle(pictures, marked.text, {})
    for picture in pictures:
        assert picture.mark not in settled
        try:
            url = judge_address(picture.address, PLACES, "octo/spoon").url
            judge_redirect(picture.address, url, PLACES)
        except ValueError:
            continue
        assert f"https://{urlsplit(url).netloc}" in PLACES.onward | {PLACES.api}
    assert urlsplit(find_signed(text, UUID, PLACES)).netloc in ("", *(urlsplit(each).netloc for each in PLACES.onward))


SEEDS = [
    f"see ![a](https://github.com/user-attachments/assets/{UUID}) there".encode(),
    f'<img width="600" alt="a" src="https://github.com/user-attachments/assets/{UUID}" />\n'.encode(),
    b"![](<https://raw.githubusercontent.com/octo/spoon/main/a.png> 'title') [![b](https://github.com/else/where/raw/main/b.png)](c)",
    f'<a href="x"><img src="https://private-user-images.githubusercontent.com/1/2-{UUID}.png?jwt=a&amp;b=c"></a>'.encode(),
    b"<details>\n\n![x](https://user-images.githubusercontent.com/1/2.png)\n</details> <!-- ![y](z) --> `![c](d)`",
    b"![a][b]\n\n[b]: https://github.com/a.png\n<img hidden src=https://github.com/a.png>",
]
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", longest=400, share=0.03)
