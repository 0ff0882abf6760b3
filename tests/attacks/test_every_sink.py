"""AT-22 and AT-30: a secret of the run that got to the model somehow, put into everything that leaves, on a whole run."""

import base64
import contextlib

import pytest

from tests.host.action.deliveries import Desk, Model
from tests.host.test_pipeline import MEND

FORMS = {
    "as it is": lambda token: token,
    "without its head": lambda token: token[7:],
    "reversed": lambda token: token[::-1],
    "in base64": lambda token: base64.b64encode(token.encode()).decode(),
    "letter by letter": "\n".join,
}


def finish(summary: str = "Mended.") -> list:
    return [("finish", {"summary": summary})]


def model(sink: str, text: str) -> Model:
    quoted = text.replace("'", "")
    match sink:
        case "file":
            return Model(MEND, [("shell", {"command": f"printf '%s' '{quoted}' > notes.txt"})], finish())
        case "name":
            return Model(
                MEND,
                [("shell", {"command": f"echo 1 > '{quoted.replace(chr(10), '-').replace('/', '-')}.txt'"})],
                finish(),
            )
        case "summary":
            return Model(MEND, finish(f"Mended with {text}"))
        case "message":
            return Model(MEND, finish(), message=f"fix: add\n\nIt needs {text}")
        case "title":
            return Model(MEND, finish(), message=f"fix: {text}")
        case _:
            return Model(MEND, [("propose", {"type": "comment", "body": f"Look: {text}"})], finish())


def test_the_search_finds_what_may_leave(desk: Desk) -> None:
    """Else the tests below would show nothing."""
    issue = desk.github.open_issue("add() subtracts", "It should add.")
    text = "harmless-words-7f3a"
    write = [("shell", {"command": f"echo {text} > notes.txt"}), ("propose", {"type": "comment", "body": text})]
    desk.answers = lambda: Model(MEND, write, finish(text), message=f"fix: add\n\n{text}")
    assert desk.say(issue.number, "@ay fix this") == 0
    assert {place.partition(" ")[0] for place in leaked(desk, text)} >= {"comment", "pull", "commit", "tree"}


@pytest.mark.parametrize("sink", ["file", "name", "summary", "message", "title", "comment"])
def test_at_22_at_30_a_token_leaves_through_nothing(desk: Desk, sink: str) -> None:
    github = desk.github
    issue = github.open_issue("add() subtracts", "It should add.")
    desk.answers = lambda: model(sink, desk.token)
    desk.say(issue.number, "@ay fix this")
    assert [request.role for request in desk.models[0].requests].count("main") >= 2, "the model was not asked"
    assert not leaked(desk, desk.token)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("sink", ["file", "summary"])
def test_at_22_at_30_a_token_leaves_in_no_disguise(desk: Desk, sink: str, form) -> None:
    issue = desk.github.open_issue("add() subtracts", "It should add.")
    text = form(desk.token)
    desk.answers = lambda: model(sink, text)
    with contextlib.suppress(IndexError):
        desk.say(issue.number, "@ay fix this")
    assert not leaked(desk, text)


def leaked(desk: Desk, text: str) -> list[str]:
    """Where a text stands, of all that a run leaves on GitHub and on the runner."""
    github = desk.github
    said = {f"comment {each.id}": each.body for thread in github.threads() for each in github.comments(thread.number)}
    said |= {f"pull {pull.number}": f"{pull.title}\n{pull.body}\n{pull.head_branch}" for pull in github.pulls()}
    for branch in github.branches():
        for commit in github.commits(branch, "main") if branch != "main" else ():
            said[f"commit {commit['sha']}"] = commit["message"]
            said[f"tree {commit['sha']}"] = everything_in(desk, commit["sha"])
    said |= {f"status {number}": str(each) for number, each in enumerate(github.repository().statuses)}
    said["log"] = "\n".join(desk.log)
    here = desk.place / f"run{desk.runs}"
    for name in ("output", "summary.md"):
        said[name] = (here / name).read_text() if (here / name).exists() else ""
    return [place for place, words in said.items() if text in words or text in words.replace("> ", "")]


def everything_in(desk: Desk, commit: str) -> str:
    from tests.host.git_repositories import git

    where = desk.github.repository().git
    return git(where, "diff", "--text", "--no-color", "--name-only", "main", commit) + git(
        where, "diff", "--text", "main", commit
    )
