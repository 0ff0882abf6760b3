"""The Forge when GitHub or the way there misbehaves: nothing is written twice, no wait is endless, each refusal speaks."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from ay_bot.errors import AnswerLost, GithubFailed, HeadMoved, NotAllowed, UsageError
from ay_bot.host.github.api import GithubForge, open_forge
from ay_bot.host.github.api_failures import Missing, failure_in_graphql, failure_of
from ay_bot.host.github.api_request import Asked, Pace, Reply
from ay_bot.host.github.credentials import Token
from tests.loopback_github.server import LoopbackGitHub


class Clock:
    """Waits that are written down, not waited for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def pace(self, **changes: float) -> Pace:
        return Pace(between_writes=0, timeout=5, sleep=self.waits.append)._replace(**changes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("maria/bank", {"bank.py": "balance = 0\n"})
    loopback_github.open_issue()
    return loopback_github


@pytest.fixture
def forge(github: LoopbackGitHub, clock: Clock) -> Iterator[GithubForge]:
    with forge_with(github, clock.pace(), github.add_actions_token()) as made:
        yield made


def forge_with(github: LoopbackGitHub, pace: Pace, token: str) -> GithubForge:
    return open_forge("maria/bank", Token.of(token), api_url=github.api_url, graphql_url=github.graphql_url, pace=pace)


# ---------------------------------------------------------------------- lost answers


@pytest.mark.parametrize("how", ["bad-gateway-after", "drop-after", "garbage"])
def test_a_write_whose_answer_is_lost_is_sent_once(forge: GithubForge, github: LoopbackGitHub, how: str) -> None:
    github.fail("POST", "comments", how)
    with pytest.raises(AnswerLost, match="POST /repos/maria/bank/issues/1/comments"):
        forge.add_comment(1, "Hello")
    assert len(github.asked("POST", "comments")) == 1
    assert [comment.body for comment in forge.comments(1)] == ["Hello"]


@pytest.mark.parametrize("how", ["bad-gateway-before", "drop-before", "server-error"])
def test_nobody_can_tell_a_lost_answer_from_a_lost_write(forge: GithubForge, github: LoopbackGitHub, how: str) -> None:
    github.fail("POST", "comments", how)
    with pytest.raises(AnswerLost):
        forge.add_comment(1, "Hello")
    assert (len(github.asked("POST", "comments")), forge.comments(1)) == (1, [])


@pytest.mark.parametrize("how", ["bad-gateway-after", "drop-after", "garbage"])
def test_no_kind_of_write_is_sent_twice(forge: GithubForge, github: LoopbackGitHub, how: str) -> None:
    main = github.branch("main")
    assert main
    github.push("work", {"bank.py": "1\n"})
    comment = github.comment(1, "Hello")
    writes = [
        lambda: forge.edit_comment(comment.id, "Again"),
        lambda: forge.react("issue", 1, "eyes"),
        lambda: forge.create_branch("ay/1", main),
        lambda: forge.create_pull(title="Fix", body="", head="work", base="main", draft=False),
        lambda: forge.create_issue(title="Dashboard", body=""),
        lambda: forge.edit_issue(1, body="New"),
        lambda: forge.add_labels(1, ["ay"]),
        lambda: forge.set_status(main, state="success", context="x", description="", url=""),
        lambda: forge.commit_on_branch("ay/1", main, "Fix", [], ["bank.py"]),
        lambda: forge.delete_branch("ay/1"),
    ]
    for write in writes:
        github.forget_requests()
        github.fail("*", "", how)
        with pytest.raises(AnswerLost):
            write()
        assert len(github.requests) == 1


def test_a_silent_server_is_not_waited_for_and_not_asked_again(github: LoopbackGitHub, clock: Clock) -> None:
    github.fail("POST", "comments", "slow", seconds=1.5)
    with forge_with(github, clock.pace(timeout=1), github.add_actions_token()) as forge, pytest.raises(AnswerLost):
        forge.add_comment(1, "Hello")
    assert len(github.asked("POST")) == 1


@pytest.mark.parametrize("how", ["bad-gateway-before", "drop-before", "server-error"])
def test_a_question_is_asked_again(forge: GithubForge, github: LoopbackGitHub, clock: Clock, how: str) -> None:
    github.fail("GET", "issues/1", how, times=3)
    assert forge.issue(1).number == 1
    assert (clock.waits, forge.requests) == ([1.0, 2.0, 4.0], 4)
    github.fail("POST", "graphql", how)
    assert forge.own_login() == "github-actions[bot]"


def test_a_question_is_not_asked_for_ever(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.fail("GET", "issues/1", "server-error", times=99)
    with pytest.raises(GithubFailed, match=r"no usable answer to GET .*500"):
        forge.issue(1)
    assert forge.requests == 4


def test_a_server_that_is_not_there_got_nothing(clock: Clock) -> None:
    with (
        open_forge("a/b", Token.of("x"), api_url="http://127.0.0.1:9", pace=clock.pace()) as forge,
        pytest.raises(GithubFailed, match="can't be reached") as caught,
    ):
        forge.add_comment(1, "Hello")
    assert not isinstance(caught.value, AnswerLost)


def test_a_connection_that_was_idle_is_not_trusted_with_a_write(github: LoopbackGitHub, clock: Clock) -> None:
    with forge_with(github, clock.pace(idle=0), github.add_actions_token()) as forge:
        forge.issue(1)
        github._listener.close_all()
        forge.add_comment(1, "Hello")
    assert len(github.comments(1)) == 1


# ---------------------------------------------------------------------- rate limits


@pytest.mark.parametrize("how", ["secondary-403", "secondary-429"])
def test_github_says_how_long_to_wait(forge: GithubForge, github: LoopbackGitHub, clock: Clock, how: str) -> None:
    github.fail("*", "comments", how, seconds=7, times=2)
    assert list(forge.comments(1)) == []
    assert clock.waits == [7.0, 7.0]


def test_a_write_that_github_refused_for_its_limit_was_not_done(
    forge: GithubForge, github: LoopbackGitHub, clock: Clock
) -> None:
    github.fail("POST", "comments", "secondary-403", seconds=7)
    forge.add_comment(1, "Hello")
    assert (len(github.comments(1)), clock.waits) == (1, [7.0])


def test_a_limit_without_a_time_is_a_minute(forge: GithubForge, github: LoopbackGitHub, clock: Clock) -> None:
    github.fail("GET", "issues/1", "secondary-429-bare")
    forge.issue(1)
    assert clock.waits == [60.0]


def test_the_primary_limit_is_waited_for_if_it_is_near(
    forge: GithubForge, github: LoopbackGitHub, clock: Clock
) -> None:
    github.fail("GET", "issues/1", "primary", seconds=20)
    forge.issue(1)
    assert len(clock.waits) == 1
    assert 15 < clock.waits[0] < 25


@pytest.mark.parametrize("how", ["primary", "secondary-403", "secondary-429"])
def test_no_wait_is_long(forge: GithubForge, github: LoopbackGitHub, clock: Clock, how: str) -> None:
    github.fail("GET", "issues/1", how, seconds=3000)
    with pytest.raises(GithubFailed, match=r"for another (49|50) minutes") as caught:
        forge.issue(1)
    assert clock.waits == []
    assert "App" in caught.value.hint


def test_limits_that_go_on_end_the_run(forge: GithubForge, github: LoopbackGitHub, clock: Clock) -> None:
    github.fail("GET", "issues/1", "secondary-429", seconds=30, times=99)
    with pytest.raises(GithubFailed, match="rate limit"):
        forge.issue(1)
    assert clock.waits == [30.0, 30.0, 30.0]


def test_between_two_writes_there_is_a_second(github: LoopbackGitHub, clock: Clock) -> None:
    with forge_with(github, clock.pace(between_writes=1), github.add_actions_token()) as forge:
        forge.issue(1)
        forge.add_comment(1, "One")
        forge.issue(1)
        forge.add_comment(1, "Two")
    assert len(clock.waits) == 1
    assert 0.5 < clock.waits[0] <= 1


# ---------------------------------------------------------------------- refusals


def test_what_is_missing_is_named_as_the_workflow_writes_it(github: LoopbackGitHub, clock: Clock) -> None:
    sha = github.push("work", {"bank.py": "1\n"})
    calls = {
        "issues: write": lambda forge: forge.add_comment(1, "Hello"),
        "pull-requests: write": lambda forge: forge.create_pull(
            title="x", body="", head="work", base="main", draft=True
        ),
        "contents: write": lambda forge: forge.create_branch("ay/1", sha),
        "statuses: write": lambda forge: forge.set_status(sha, state="success", context="x", description="", url=""),
    }
    reader = github.add_actions_token(
        {"contents": "read", "issues": "read", "pull_requests": "read", "statuses": "read"}
    )
    with forge_with(github, clock.pace(), reader) as forge:
        for permission, call in calls.items():
            with pytest.raises(NotAllowed) as caught:
                call(forge)
            assert permission in caught.value.hint
        with pytest.raises(NotAllowed) as caught:
            forge.commit_on_branch("work", sha, "Fix", [], ["bank.py"])
        assert "contents: write" in caught.value.hint


def test_github_names_the_permission_itself() -> None:
    body = json.dumps({"message": "Resource not accessible by integration"})
    reply = Reply(403, {"x-accepted-github-permissions": "issues=write; pull_requests=write"}, body)
    assert "`permissions: issues: write`" in failure_of(Asked("POST", "/repos/a/b/x", again=False), reply).hint
    odd = reply._replace(headers={"x-accepted-github-permissions": "`rm -rf`"})
    assert "rm -rf" not in failure_of(Asked("POST", "/repos/a/b/statuses/x", again=False), odd).hint


def test_actions_may_be_forbidden_to_open_pull_requests(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.push("work", {"bank.py": "1\n"})
    github.repository().actions_may_open_pulls = False
    with pytest.raises(NotAllowed) as caught:
        forge.create_pull(title="Fix", body="", head="work", base="main", draft=False)
    assert "Allow GitHub Actions to create and approve pull requests" in caught.value.hint


def test_a_token_that_is_none(github: LoopbackGitHub, clock: Clock) -> None:
    with (
        forge_with(github, clock.pace(), "wrong") as forge,
        pytest.raises(GithubFailed, match="doesn't accept the token") as caught,
    ):
        forge.facts()
    assert "wrong" not in str(caught.value)


def test_a_private_repository_of_others_is_not_there(github: LoopbackGitHub, clock: Clock) -> None:
    github.add_repository("ada/secret", private=True)
    token = Token.of(github.add_token("mallory"))
    with (
        open_forge("ada/secret", token, api_url=github.api_url, pace=clock.pace()) as forge,
        pytest.raises(Missing, match="the token may not see it"),
    ):
        forge.facts()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(409, {}, '{"message": "is at 1 but expected 2"}'), HeadMoved),
        (Reply(422, {}, '{"message": "Update is not a fast forward"}'), HeadMoved),
        (Reply(410, {}, '{"message": "Issues are disabled for this repo"}'), GithubFailed),
        (Reply(307, {"location": "https://evil.example"}, ""), GithubFailed),
        (Reply(403, {}, '{"message": "Unable to create comment because issue is locked."}'), NotAllowed),
        (Reply(502, {}, "<html>"), AnswerLost),
    ],
)
def test_other_refusals(reply: Reply, kind: type[GithubFailed]) -> None:
    assert type(failure_of(Asked("POST", "/repos/a/b/issues/1/comments", again=False), reply)) is kind


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([{"type": "STALE_DATA", "message": "x"}], HeadMoved),
        ([{"message": "Expected branch to point to \"1\" but it points to \"2\""}], HeadMoved),
        ([{"type": "FORBIDDEN", "message": "x"}], NotAllowed),
        ([{"type": "NOT_FOUND", "message": "x"}], Missing),
        ([{"message": "Something went wrong while executing your query. Please include `1` when reporting"}], AnswerLost),
        ([{"type": "OTHER", "message": "no"}], GithubFailed),
        ([17, None], GithubFailed),
        ("no", GithubFailed),
    ],
)  # fmt: skip
def test_refusals_in_graphql(errors: object, kind: type[GithubFailed]) -> None:
    assert type(failure_in_graphql(Asked("GraphQL", "Commit", again=False), errors)) is kind


def test_what_github_says_is_shown_as_one_plain_line() -> None:
    said = json.dumps({"message": "\x1b[31mno\n::error::x\u202e", "errors": [{"message": "y" * 9000}, "z", 7]})
    message = failure_of(Asked("GET", "/x"), Reply(422, {}, said)).message
    assert message.isprintable() or "left out" in message
    assert "\x1b" not in message
    assert len(message) < 700


# ---------------------------------------------------------------------- strange servers


class Strange(ThreadingHTTPServer):
    """A server that gives every request the same answer and writes down what it was asked."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        seen = self.seen = list[tuple[str, str, str | None]]()

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append((self.command, self.path, self.headers.get("Authorization")))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Answer)


@pytest.fixture
def strange(request: pytest.FixtureRequest) -> Iterator[Strange]:
    with Strange(*request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def forge_at(server: Strange, clock: Clock) -> GithubForge:
    port = server.server_address[1]
    return open_forge("a/b", Token.of("secret"), api_url=f"http://127.0.0.1:{port}/api/v3", pace=clock.pace())


def test_a_renamed_repository_is_not_followed(forge: GithubForge, github: LoopbackGitHub) -> None:
    """PyGithub would, without the query: a file of another commit, the first page again, a write sent twice."""
    github.add_repository("maria/new")
    github.world.renamed["maria/bank"] = "maria/new"
    for call in (forge.facts, lambda: forge.file("bank.py", "main"), forge.issues, lambda: forge.add_comment(1, "x")):
        github.forget_requests()
        with pytest.raises(GithubFailed, match="elsewhere") as caught:
            call()
        assert "present name" in caught.value.hint
        assert len(github.requests) == 1


ELSEWHERE = {"Location": "https://evil.example/steal"}
ENDLESS = {"Link": '<https://evil.example/repos/a/b/issues?page=2>; rel="next"'}


@pytest.mark.parametrize(
    "strange", [(301, ELSEWHERE, "{}"), (302, ELSEWHERE, "{}"), (307, ELSEWHERE, "{}")], indirect=True
)
def test_a_redirect_takes_the_token_nowhere(strange: Strange, clock: Clock) -> None:
    with forge_at(strange, clock) as forge:
        with pytest.raises(GithubFailed, match="elsewhere"):
            forge.facts()
        with pytest.raises(GithubFailed, match="elsewhere"):
            forge.add_comment(1, "Hello")
    assert len(strange.seen) == 2


@pytest.mark.parametrize(
    "strange",
    [(200, ENDLESS, '[{"number": 1, "title": "x", "state": "open", "updated_at": "2026-11-22T12:00:00Z"}]')],
    indirect=True,
)
def test_pages_end_and_their_addresses_are_our_own(strange: Strange, clock: Clock) -> None:
    with forge_at(strange, clock) as forge:
        assert len(forge.issues()) == 10
        assert forge.cut == ("/repos/a/b/issues: only the first 10",)
    assert [re.search(r"[?&]page=(\d+)", path)[1] for _, path, _ in strange.seen] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("strange", [(200, {}, body) for body in ("[]", "{}", "null", "17", '"x"', "")], indirect=True)
def test_answers_that_make_no_sense_are_said_to(strange: Strange, clock: Clock) -> None:
    with forge_at(strange, clock) as forge:
        for ask in (forge.facts, lambda: forge.issue(1), lambda: forge.pull(1), lambda: forge.commit("1"),
                    lambda: forge.commits("a", "b"), lambda: forge.branch("x"), forge.own_login):  # fmt: skip
            with pytest.raises(GithubFailed):
                ask()
        for write in (lambda: forge.add_comment(1, "x"), lambda: forge.create_issue(title="x", body=""),
                      lambda: forge.commit_on_branch("x", "1", "x", [], [])):  # fmt: skip
            with pytest.raises(AnswerLost):
                write()


@pytest.mark.parametrize("strange", [(200, {}, "[" * 100_000)], indirect=True)
def test_an_answer_that_is_too_deep(strange: Strange, clock: Clock) -> None:
    with forge_at(strange, clock) as forge, pytest.raises(GithubFailed, match="not JSON"):
        forge.facts()


# ---------------------------------------------------------------------- addresses and time


@pytest.mark.parametrize(
    "url",
    [
        "http://github.example/api/v3",
        "ftp://x",
        "api.github.com",
        "",
        "https://u:p@x/",
        "https://x/?y",
        "http://127.0.0.1@evil.example/",
    ],
)
def test_a_token_goes_to_no_unsafe_address(url: str) -> None:
    with pytest.raises(UsageError, match="may be sent to"):
        open_forge("a/b", Token.of("x"), api_url=url)


def test_graphql_is_on_the_same_server() -> None:
    with pytest.raises(UsageError, match="another server"):
        open_forge("a/b", Token.of("x"), api_url="https://api.github.com", graphql_url="https://evil.example/graphql")


def test_what_was_just_made_may_not_be_listed_yet(forge: GithubForge, github: LoopbackGitHub) -> None:
    github.lag("pull", 1)
    github.push("ay/1", {"bank.py": "1\n"})
    made = forge.create_pull(title="Fix", body="", head="ay/1", base="main", draft=False)
    assert forge.pulls(head="ay/1") == []
    assert forge.pull(made.number) == forge.pulls(head="ay/1")[0].model_copy(
        update={"maintainer_can_modify": made.maintainer_can_modify}
    )


def test_a_hundred_and_fifty_comments_are_two_requests(forge: GithubForge, github: LoopbackGitHub) -> None:
    for number in range(150):
        github.comment(1, str(number))
    forge.issue(1)
    begin = time.monotonic()
    assert [comment.body for comment in forge.comments(1)] == [str(number) for number in range(150)]
    assert (forge.requests, forge.cut) == (3, ())
    assert time.monotonic() - begin < 5


def test_a_token_is_never_shown() -> None:
    token = Token.of(" verysecret\n")
    assert token.secret.get_secret_value() == "verysecret"
    assert "verysecret" not in f"{token!r} {token} {token.model_dump_json()}"


@pytest.mark.parametrize("text", ["", " \n", "two words", "a\nb", "t\u00f6ken", "a\x00b"])
def test_a_text_that_is_no_token(text: str) -> None:
    with pytest.raises(UsageError, match="token"):
        Token.of(text)
    with pytest.raises(UsageError, match="token"):
        open_forge("a/b", Token(secret=SecretStr(text)), api_url="https://api.github.com")
