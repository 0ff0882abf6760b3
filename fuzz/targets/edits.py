"""What a model writes where it should write edits, in all five forms, applied to files in memory."""

import json

from ay_bot.agent.edits.formats import parse_format
from ay_bot.agent.edits.shell_edit import BadLine, answer_line

from fuzz.target import Target, recorded

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n\n\nclass A:\n    x = 1\n\n    def f(self):\n        pass\n",
    "a.md": "# A\n\n\n",
}
FORMS = tuple(parse_format(name) for name in ("edit", "apply_patch", "search_replace", "udiff", "whole", None))


def parse(data: bytes) -> None:
    """Read a reply, in a form that its length chooses, and apply it."""
    reply = data.decode("utf-8", "replace")
    line = json.dumps({"id": 1, "files": FILES, "reply": reply}).encode()
    answer = json.loads(answer_line(line, FORMS[len(data) % len(FORMS)], parse_only=False))
    assert answer["id"] == 1
    assert answer["ok"] or answer["files"] == FILES


SEEDS = [
    b"calc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n",
    (b"*** Begin Patch\n*** Update File: calc.py\n"
    b"@@ def add(a, b):\n-    return a - b\n+    return a + b\n*** End Patch\n"),
    b"*** Begin Patch\n*** Add File: new.py\n+x = 1\n*** Delete File: a.md\n*** End Patch\n",
    b"--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n",
    b"calc.py\n```\ndef add(a, b):\n    return a + b\n```\n",
    b'{"path": "calc.py", "edits": [{"search": "a - b", "replace": "a + b"}]}',
    b"```diff\ndiff --git a/a.md b/b.md\nrename from a.md\nrename to b.md\n```\n", *recorded("diff"),
]  # fmt: skip
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", documented=(BadLine,), longest=2500, seconds=2.0, share=0.3)
