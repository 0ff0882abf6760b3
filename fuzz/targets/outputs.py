"""What an agent wants said outside, through the six stages that judge it."""

import json

from ay_bot.host.outputs.check import check
from ay_bot.host.outputs.decision import Allowed, Denied
from ay_bot.host.outputs.policy import OutputContext, OutputPolicy
from ay_bot.host.outputs.texts import texts_of
from ay_bot.protocol.outputs import MOST_OF_EACH

from fuzz.target import Target

SECRET = "ghs_Zk3LmQ9xT7vB2nR5wY8cJ4hD6fG1sA0pE"
POLICY = OutputPolicy(allowed=frozenset(MOST_OF_EACH), labels=("bug", "area: *"), domains=("docs.example",))
CONTEXT = OutputContext(
    repository="o/r", thread=8, kind="pull_request", requester="alice", run_url="https://github.com/o/r/actions/runs/42",
    own_pull_requests=frozenset({70}), review_comments=frozenset({501}), diff_lines={"a.py": frozenset({1, 2})},
    secrets=(SECRET,), verified=False,
)  # fmt: skip


def parse(data: bytes) -> None:
    """Judge a batch; nothing is raised, each item gets its decision, and what may be said is clean."""
    try:
        items = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(items, list):
        return
    decisions = check(items, POLICY, CONTEXT)
    assert len(decisions) in {1, len(items)}
    for decision in decisions:
        if isinstance(decision, Denied):
            assert decision.what.isprintable() and decision.how_to_allow.isprintable(), decision
        if isinstance(decision, Allowed):
            for text in texts_of(decision.output):
                assert SECRET not in text
                assert not any(ord(one) < 32 and one not in "\n\t" for one in text), repr(text)
                assert "evil.example" not in text or "](https://evil.example" not in text, text


SEEDS = [
    json.dumps(items).encode()
    for items in [
        [{"type": "comment", "body": "It is done, see https://docs.example/a. @bob fixes #9"}],
        [{"type": "review", "body": "Two things.", "comments": [{"path": "a.py", "line": 1, "body": "`x` here"}]}],
        [{"type": "create_pull_request", "title": "Mend the sums", "body": "All tests pass.\n\n```\n@x\n```\n"}],
        [{"type": "labels", "labels": ["bug", "deploy"]}, {"type": "noop", "reason": "Nothing to do."}],
        [{"type": "update_pull_request", "number": 70, "body": "![x](https://evil.example/?q=1) <details>"}],
        [{"type": "issue", "title": "A bug", "body": "- a\n  ```\n  b\n> c\n\n[x]: https://evil.example"}],
        [{"type": "ask", "question": f"Is {SECRET[:20]} yours?"}, {"type": "reply", "comment": 501, "body": "Yes."}],
    ]
]
TARGET = Target(parse=parse, seeds=SEEDS, shape="json", longest=3000)
