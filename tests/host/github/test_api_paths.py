"""Addresses that are built from names of others: whatever these hold, an address stays where it was put."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import GithubFailed, UsageError
from ay_bot.host.github.api_paths import check_address, check_repository, segment, segments

HOSTILE = st.text(st.sampled_from("./\\%?#&=ab:@ \t\n\r\0\u202e\ud800ä")) | st.text()


@given(HOSTILE)
def test_at_11_a_segment_is_one_part(name: str) -> None:
    try:
        quoted = segment(name)
    except GithubFailed:
        return
    assert re.fullmatch(r"(?!\.{1,2}$)(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})+", quoted)


@given(HOSTILE)
def test_at_11_segments_go_down_only(path: str) -> None:
    try:
        quoted = segments(path)
    except GithubFailed:
        return
    assert quoted.count("/") == path.count("/")
    assert not {"", ".", ".."} & set(quoted.split("/"))


@given(HOSTILE)
def test_a_repository_is_an_owner_and_a_name(name: str) -> None:
    try:
        check_repository(name)
    except UsageError:
        return
    assert name.count("/") == 1
    assert segments(name) == name


@given(HOSTILE.map(lambda rest: "http://" + rest) | HOSTILE.map(lambda rest: "https://" + rest) | HOSTILE)
def test_an_address_is_plain_and_safe(url: str) -> None:
    try:
        check_address(url)
    except UsageError:
        return
    assert re.fullmatch(r"(https://|http://(localhost|127\.0\.0\.1|\[::1\]))[!-~]*", url, re.IGNORECASE)
    assert "@" not in url.split("/")[2]
