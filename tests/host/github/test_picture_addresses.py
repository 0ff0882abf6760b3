"""What is asked for and what never is: addresses as GitHub gives them, and every other way to write one."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import Request
from urllib3.util import parse_url

from ay_bot.host.github.picture_addresses import find_signed, judge_address, judge_redirect, places_of

UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"
DOT_COM = places_of("https://github.com", "https://api.github.com")
OWN = places_of("https://git.example:8443", "https://git.example:8443/api/v3")
CONTENTS = "https://api.github.com/repos/octo/spoon/contents"
PRIVATE = "https://private-user-images.githubusercontent.com"


@pytest.mark.parametrize(
    ("address", "at", "url"),
    [
        (f"https://github.com/user-attachments/assets/{UUID}", "server", "="),
        (f"https://GitHub.com:443/user-attachments/assets/{UUID}?x=1#y", "server", f"https://github.com/user-attachments/assets/{UUID}"),
        (f"https://github.com/octo/spoon/assets/123/{UUID}", "server", "="),
        (f"https://github.com/else/where/assets/123/{UUID}", "kept", "="),
        ("https://user-images.githubusercontent.com/12/34-ab.png", "kept", "="),
        (f"{PRIVATE}/12/34-{UUID}.png?jwt=a.b.c", "kept", "="),
        ("https://raw.githubusercontent.com/else/where/main/a/b.png?token=x", "kept", "https://raw.githubusercontent.com/else/where/main/a/b.png"),
        ("https://github.com/else/where/blob/main/a.png?raw=true", "kept", "https://raw.githubusercontent.com/else/where/main/a.png"),
        ("https://github.com/Octo/Spoon/blob/main/docs/a b.png".replace(" ", "%20"), "api", f"{CONTENTS}/docs/a%20b.png?ref=main"),
        ("https://raw.githubusercontent.com/octo/spoon/refs/heads/main/a.png", "api", f"{CONTENTS}/a.png?ref=main"),
    ],
)  # fmt: skip
def test_what_github_keeps_is_asked_for(address, at, url):
    wanted = judge_address(address, DOT_COM, "octo/spoon")
    assert (wanted.at, wanted.url) == (at, address if url == "=" else url)


def test_a_server_of_ones_own_has_places_of_its_own():
    for address, at in [
        (f"https://git.example:8443/user-attachments/assets/{UUID}", "server"),
        ("https://git.example:8443/octo/spoon/raw/main/a.png", "api"),
        ("https://raw.git.example:8443/octo/spoon/main/a.png", "api"),
        (f"https://media.git.example:8443/user/12/files/{UUID}", "kept"),
    ]:
        assert judge_address(address, OWN, "octo/spoon").at == at
    for address in (
        f"https://github.com/user-attachments/assets/{UUID}", "https://raw.githubusercontent.com/octo/spoon/main/a.png",
        f"https://git.example/user-attachments/assets/{UUID}", "https://git.example:8443/else/where/raw/main/a.png",
    ):  # fmt: skip
        with pytest.raises(ValueError, match="another"):
            judge_address(address, OWN, "octo/spoon")


HOSTILE = [
    "http://127.0.0.1/a.png", "http://169.254.169.254/latest/meta-data", "http://[::1]/a.png", "http://localhost/x",
    "https://evil.example/user-attachments/assets/" + UUID, "http://github.com/user-attachments/assets/" + UUID,
    "https://github.com.evil.example/user-attachments/assets/" + UUID, "//github.com/user-attachments/assets/" + UUID,
    "https://evil.example@github.com/user-attachments/assets/" + UUID, "https://github.com@evil.example/" + UUID,
    "https://github.com%2f@evil.example/", "https://github.com\\@evil.example/x", "https://github.com\t.evil.example/",
    "https://g\u0131thub.com/user-attachments/assets/" + UUID, "https://github.com:8443/user-attachments/assets/" + UUID,
    "https://github.com./user-attachments/assets/" + UUID, "file:///etc/passwd", "data:image/png;base64,AAAA",
    "a.png", "/etc/passwd", "", "https://", "https:///x", "https://[broken/", "javascript:alert(1)",
    f"https://github.com/user-attachments/assets/{UUID}/../../../login", "https://github.com/login/oauth/authorize",
    f"https://github.com/user-attachments/assets/%2e%2e/{UUID}", "https://github.com/octo/spoon/raw/main/../../../x",
    "https://github.com/octo/spoon/raw/main/%2e%2e/%2e%2e/x", "https://github.com/octo/spoon/blob/main", "https://github.com",
    "https://api.github.com/repos/octo/spoon/actions/secrets", "https://raw.githubusercontent.com/octo/spoon/main",
    "https://github.com/octo/spoon/actions/workflows/ci.yml/badge.svg", "https://objects.githubusercontent.com/x/y",
    "https://github-production-user-asset-6210df.s3.amazonaws.com/1/2-3.png", "https://user-images.githubusercontent.com/1/../2",
    "https://github.com/octo/spoon/raw/main/a.png\r\nHost: evil.example", "https://github.com/octo/spoon/raw/main/" + "a" * 5000,
    "https://camo.githubusercontent.com/abc/def", "https://avatars.githubusercontent.com/u/1",
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE, ids=range(len(HOSTILE)))
def test_at_24_nothing_else_is_asked_for(address):
    with pytest.raises(ValueError, match=r"server|malformed|GitHub keeps|on the web") as refused:
        judge_address(address, DOT_COM, "octo/spoon")
    assert "evil" not in str(refused.value)


WHOLE = [
    f"https://github.com/user-attachments/assets/{UUID}", f"https://github.com/else/where/assets/1/{UUID}", f"{PRIVATE}/1/2-{UUID}.png",
    "https://github.com/octo/spoon/raw/main/a.png", "https://raw.githubusercontent.com/else/where/main/a.png",
]  # fmt: skip
NOISE = st.sampled_from(
    ["@", ":", "/", "\\", "//", "?", "#", "..", "../", "%2e%2e/", "%2f", "\t", "[", "]", "%", " ", "é", ";", "&", ".", "%00", "%5c",
     "evil.example", "@evil.example/", ":443", ":80", "http://", "\u3002", "%40"]
)  # fmt: skip
ADDRESSES = st.builds(
    lambda whole, place, noise: whole[:place] + "".join(noise) + whole[place:],
    st.sampled_from(WHOLE), st.integers(0, 90), st.lists(NOISE, max_size=3),
)  # fmt: skip


@settings(max_examples=400)
@given(ADDRESSES)
def test_whatever_is_asked_for_is_where_the_client_will_ask(address):
    """The address means the same to who judges it and to the library that sends it."""
    try:
        wanted = judge_address(address, DOT_COM, "octo/spoon")
    except ValueError:
        return
    sent = Request("GET", wanted.url).prepare().url
    assert sent
    assert urlsplit(sent).netloc == parse_url(wanted.url).netloc
    hosts = {
        "server": {"github.com"},
        "api": {"api.github.com"},
        "kept": {urlsplit(kept).netloc for kept in DOT_COM.kept},
    }
    assert urlsplit(sent).netloc in hosts[wanted.at] | (
        {"github.com"} if wanted.at == "kept" and wanted.uuid else set()
    )
    assert wanted.at != "api" or urlsplit(sent).path.startswith("/repos/octo/spoon/contents/")
    assert ".." not in urlsplit(sent).path.split("/")


def test_redirects_stay_where_github_keeps_files():
    bucket = "https://github-production-user-asset-6210df.s3.amazonaws.com/1/2.png?X-Amz-Signature=a"
    assert judge_redirect(bucket, "https://github.com/a", DOT_COM) == bucket
    assert judge_redirect("/b", "https://github.com/a", DOT_COM) == "https://github.com/b"
    for location in HOSTILE[:5] + HOSTILE[6:7] + HOSTILE[8:16] + ["https://other-bucket.s3.amazonaws.com/1/2.png"]:
        with pytest.raises(ValueError, match=r"another server|malformed|on the web"):
            judge_redirect(location, "https://github.com/a", DOT_COM)


def test_a_signed_address_is_that_of_the_same_attachment():
    other = UUID.replace("0a", "ff")
    html = (
        f'<img src="https://evil.example/1/2-{UUID}.png?jwt=e"><img src="{PRIVATE}/1/2-{other}.png?jwt=o">'
        f'<img alt="x" src="{PRIVATE}/{UUID}/2-{other}.png?jwt=t"><img src="{PRIVATE}/1/2-{UUID}.png">'
        f'<a href="{PRIVATE}/1/2-{UUID}.png?jwt=h"><img src="{PRIVATE}/1/2-{UUID.upper()}.png?jwt=a&amp;b=c">'
    )
    assert find_signed(html, UUID, DOT_COM) == f"{PRIVATE}/1/2-{UUID.upper()}.png?jwt=a&b=c"
    assert find_signed(html, UUID.replace("0a", "aa"), DOT_COM) == ""
