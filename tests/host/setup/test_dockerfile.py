"""A Dockerfile: what of the repository its build reads, and what the engine would fetch past the network policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.setup.dockerfile import find_sources


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("FROM a\nRUN b\n", ()),
        ("FROM a\nCOPY requirements.txt /x/\nRUN y\n", ("requirements.txt",)),
        ("FROM a\ncopy --chown=1:1 a.txt ./b/c.txt /x/\n", ("a.txt", "b/c.txt")),
        ("FROM a\nCOPY a.txt \\\n  # a comment\n  b.txt \\\n  /x/\n", ("a.txt", "b.txt")),
        ('FROM a\nCOPY ["a b.txt", "/x/"]\n', ("a b.txt",)),
        ("FROM a AS b\nFROM c\nCOPY --from=b /out /in\n", ()),
        ("FROM a\nONBUILD COPY a.txt /x\n", ("a.txt",)),
        ("# escape=`\nFROM a\nCOPY a.txt `\n /x\n", ("a.txt",)),
        ("FROM a\nADD a.tar /x", ("a.tar",)),
        ("FROM a\nCOPY . /x\n", None),
        ("FROM a\nCOPY *.txt /x/\n", None),
        ("FROM a\nCOPY $WHAT /x/\n", None),
        ("FROM a\nCOPY ../a /x/\n", None),
        ('FROM a\nCOPY ["broken\n', None),
    ],
)
def test_what_a_build_reads(text, sources):
    assert find_sources(text.encode(), "Dockerfile") == sources


@pytest.mark.parametrize("source", ["https://example.org/x", "git@example.org:a/b.git", "$URL", "HTTP://x/y"])
def test_the_engine_is_not_asked_to_fetch_anything(source):
    with pytest.raises(UsageError, match="without the network policy"):
        find_sources(f"FROM a\nADD {source} /x\n".encode(), "Dockerfile")


@given(st.text(alphabet='COPYAD FROM\n\\#["]./*$-=:ab', max_size=80))
def test_whatever_it_holds_it_is_read_or_refused(text):
    try:
        sources = find_sources(text.encode(), "Dockerfile")
    except UsageError:
        return
    assert sources is None or all(".." not in source.split("/") for source in sources)
