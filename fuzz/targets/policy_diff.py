"""A diff of anybody's, as `ay-bot policy check` reads it where there is no repository to apply it to."""

from ay_bot.errors import UsageError
from ay_bot.host.config import Settings
from ay_bot.host.path_policy import looks_like_git
from ay_bot.host.policy.check import check_diff, render_judged
from ay_bot.host.policy.source import PolicySource

from fuzz.target import Target, recorded

SOURCE = PolicySource(Settings())
SEEDS = [
    *recorded("diff"),
    b"diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
    b"--- /dev/null\n+++ b/.github/workflows/x.yml\n@@ -0,0 +1,2 @@\n+on: push\n+jobs: {}\n",
    b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n",
    b"diff --git a/i.png b/i.png\nGIT binary patch\nliteral 5\nMcmZ<0\n\nliteral 0\nHcmV?d00001\n\n",
    b'--- "a/caf\\303\\251"\n+++ "b/caf\\303\\251"\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n',
]


def parse(data: bytes) -> None:
    """Judge it, and show that."""
    judged = check_diff(data, SOURCE)
    for path in judged.paths:
        if path.verdict == "open":
            assert not any(looks_like_git(part) for part in path.path.split("/")), path
            assert not path.path.startswith(("/", ".github/workflows/")), path
    shown = render_judged(judged)
    assert not any(ord(letter) < 32 and letter != "\n" for letter in shown), repr(shown)


TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", documented=(UsageError,), longest=2500, share=0.02)
