"""Every name and link target by itself: what has no fault is safe on every file system."""

import unicodedata

from ay_bot.host.path_policy import PathPolicy, find_link_fault, find_path_fault, protect
from ay_bot.host.tree_stream import TreeChange, build_stream

from fuzz.target import Target

POLICY = PathPolicy(only=("src/", "*.py", "!secret.py"))
OPEN = PathPolicy()
PLAIN_LINES = build_stream("r", "0" * 40, [TreeChange(b"x", None)]).count(b"\n")


def parse(data: bytes) -> None:
    """Judge the first line as a path, the rest as the target of a link of that name."""
    name, _, target = data.partition(b"\n")
    path = name.decode("utf-8", "surrogateescape")
    protect(path, POLICY)
    tier = protect(path, OPEN).tier
    if find_path_fault(path):
        return
    assert path.encode() == name
    plain = unicodedata.normalize("NFKC", path).casefold()
    assert "\\" not in plain
    assert not {".git", "..", ""} & set(plain.split("/")), path
    assert tier == "never" or not plain.startswith(".github/workflows/"), path
    assert build_stream("r", "0" * 40, [TreeChange(name, None)]).count(b"\n") == PLAIN_LINES
    if find_link_fault(path, target) is None:
        ups = target.split(b"/").count(b"..")
        assert not target.startswith(b"/") and ups <= path.count("/"), (path, target)


SEEDS = [
    b"src/calc.py\n../docs/a.md", b".github/workflows/ci.yml\n", b".GITHUB/Workflows/x\n", b"a/.git/config\nx",
    b"GIT~1/config\n", ".g\u200cit/hooks/x\n".encode(), "caf\u00e9/x\n./a/../b".encode(), "cafe\u0301\n".encode(),
    b"con.txt\n", b"a:b\n", b"x. \n", b"-oX\n-x", b"link\nsrc/../x", b"a/b/c\n../../x", b"\xff\n\xff", b"a//b\n//x",
]  # fmt: skip
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", longest=1500)
