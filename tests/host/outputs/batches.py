"""Batches of outputs, rules and facts for the tests of the stages."""

from typing import get_args

from hypothesis import strategies as st

from ay_bot.host.outputs.policy import OutputContext, OutputPolicy
from ay_bot.protocol.outputs import MOST_OF_EACH, OutputType

RUN = "https://github.com/o/r/actions/runs/42"
EVERYTHING = frozenset(get_args(OutputType))
POLICY = OutputPolicy(allowed=EVERYTHING, labels=("bug", "area: *"), domains=("docs.example",))
ISSUE = OutputContext(
    repository="o/r", thread=7, kind="issue", requester="alice", run_url=RUN, own_pull_requests=frozenset({70, 71}),
)  # fmt: skip
PULL = OutputContext(
    repository="o/r", thread=8, kind="pull_request", requester="alice", run_url=RUN, own_pull_requests=frozenset({70}),
    review_comments=frozenset({501, 502}), diff_lines={"a.py": frozenset({1, 2, 3})},
)  # fmt: skip

WORDS = st.sampled_from(
    ["It is done.", "![x](https://evil.example/?q=S)", "@bob fixes #9", "`code` and more", "<!-- hidden -->", "\x1b[2J",
     "https://other.example/a", "```\n@bob\n", "- a\n  ```", "All tests pass.", "https://github.com/a/b/issues/3", " "]
)  # fmt: skip
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
NUMBERS = st.sampled_from([7, 8, 70, 71, 501, 999])


def _of(kind, **fields):
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


REMARKS = st.fixed_dictionaries(
    {"path": st.sampled_from(["a.py", "b.py"]), "line": st.sampled_from([1, 9]), "body": TEXTS}
)
LABELS = st.lists(st.sampled_from(["bug", "area: x", "deploy"]), min_size=1, max_size=3)
GOOD = st.one_of(
    _of("comment", body=TEXTS), _of("comment", body=TEXTS, number=NUMBERS), _of("reply", body=TEXTS, comment=NUMBERS),
    _of("create_pull_request", title=TEXTS, body=TEXTS), _of("update_pull_request", number=NUMBERS, body=TEXTS),
    _of("update_pull_request", number=NUMBERS, title=TEXTS), _of("push_to_own_branch", number=NUMBERS),
    _of("review", body=TEXTS, comments=st.lists(REMARKS, max_size=3)), _of("labels", labels=LABELS),
    _of("issue", title=TEXTS, body=TEXTS, labels=LABELS), _of("close_own_pull_request", number=NUMBERS, body=TEXTS),
    _of("noop", reason=TEXTS), _of("blocked", reason=TEXTS), _of("ask", question=TEXTS),
)  # fmt: skip
BAD = st.one_of(
    st.none(), st.integers(), st.text(max_size=9), st.just({}), _of("comment"), _of("merge", number=NUMBERS),
    _of("comment", body=st.just("")), _of("comment", body=TEXTS, repository=st.just("other/r")),
    _of("comment", body=TEXTS, number=st.sampled_from([0, -1, 2**63, "x", 1.5])), _of("labels", labels=st.just([])),
    _of("update_pull_request", number=NUMBERS), _of("reply", body=TEXTS, comment=st.none()),
)  # fmt: skip
BATCHES = st.lists(st.one_of(GOOD, GOOD, GOOD, BAD), max_size=6)
CONTEXTS = st.sampled_from([ISSUE, PULL, ISSUE.model_copy(update={"verified": False})])
POLICIES = st.builds(
    OutputPolicy,
    allowed=st.frozensets(st.sampled_from(sorted(EVERYTHING))),
    most=st.sampled_from([MOST_OF_EACH, dict.fromkeys(EVERYTHING, 2), {"comment": 1}]),
    may_write=st.booleans(),
    labels=st.sampled_from([(), ("bug",), ("*",)]),
    domains=st.sampled_from([(), ("docs.example",)]),
    max_open_pull_requests=st.sampled_from([1, 10]),
)
