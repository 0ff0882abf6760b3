"""Which way leads to an image, and who is told the token: seen at a loopback GitHub."""

import pytest

from ay_bot.host.github.picture_addresses import places_of
from ay_bot.host.github.picture_fetching import NotHad
from ay_bot.host.github.picture_source import GithubPictures, Reaching
from ay_bot.host.github.thread import Picture
from ay_bot.host.sanitize_blocks import Trust
from tests.loopback_github.server import LoopbackGitHub


@pytest.fixture
def github(loopback_github: LoopbackGitHub) -> LoopbackGitHub:
    loopback_github.add_repository("octo/spoon", {"docs/a b.png": b"drawn"})
    loopback_github.add_user("alice", "write")
    return loopback_github


def source_of(github: LoopbackGitHub, token: str, *, private: bool = False, **more) -> GithubPictures:
    places = places_of(github.url, github.api_url)
    return GithubPictures(Reaching(places, "octo/spoon", private, token, **more))


def picture(address: str, place: str = "issues/1") -> Picture:
    return Picture(mark="m", address=address, trust=Trust.AUTHOR, author="alice", where="body", place=place)


def told(github: LoopbackGitHub) -> list[str]:
    """Return the paths below which a token came in, beside the API's."""
    return [request.path.split("/")[1] for request in github.attachment_requests if "authorization" in request.headers]


def test_a_public_attachment_needs_no_token_and_gets_none(github: LoopbackGitHub):
    source = source_of(github, github.add_actions_token())
    assert source(picture(github.attach(b"shot"))) == b"shot"
    assert told(github) == []
    assert github.requests == []


def test_at_30_a_token_opens_nothing_for_who_writes_on_a_public_thread(github: LoopbackGitHub):
    """The token is of somebody who may see more than mallory does, who only knows an address."""
    github.add_repository("alice/diary", private=True)
    address = github.attach(b"secret", repository="alice/diary")
    with pytest.raises(NotHad, match="no such file"):
        source_of(github, github.add_token("alice"))(picture(address))
    assert told(github) == []


@pytest.mark.parametrize("kind", ["issue", "comment", "review", "review_comment"])
def test_a_private_attachment_is_had_by_the_address_that_github_signs(github: LoopbackGitHub, kind):
    github.repository().private = True
    address = github.attach(b"shot")
    body = f"![a]({github.attach(b'another')}) ![b]({address})"
    issue = github.open_issue(body=body if kind == "issue" else "", login="alice").number
    github.push("patch", {"x.py": "1\n"})
    pull = github.open_pull(head="patch").number
    where = {
        "issue": lambda: f"issues/{issue}",
        "comment": lambda: f"issues/comments/{github.comment(issue, body).id}",
        "review": lambda: f"pulls/{pull}/reviews/{github.review(pull, body).id}",
        "review_comment": lambda: f"pulls/comments/{github.review_comment(pull, body, path='x.py', line=1).id}",
    }
    token = github.add_actions_token({"contents": "read", "issues": "read", "pull_requests": "read"})
    source = source_of(github, token, private=True)
    assert source(picture(address, where[kind]())) == b"shot"
    assert source(picture(address, where[kind]())) == b"shot"
    assert told(github) == []
    assert all(request.status == 200 for request in github.requests)


def test_what_github_does_not_sign_is_asked_for_with_the_token(github: LoopbackGitHub):
    github.repository().private = True
    address = github.attach(b"shot")
    issue = github.open_issue(body="edited since", login="alice").number
    for_person = source_of(github, github.add_token("alice"), private=True)
    assert for_person(picture(address, f"issues/{issue}")) == b"shot"
    assert told(github) == ["user-attachments"]
    with pytest.raises(NotHad, match="doesn't let us see it"):
        source_of(github, github.add_actions_token(), private=True)(picture(address, f"issues/{issue}"))


def test_a_text_is_rendered_once_for_all_its_images(github: LoopbackGitHub):
    github.repository().private = True
    both = [github.attach(b"1"), github.attach(b"2")]
    issue = github.open_issue(body=" ".join(f"![]({address})" for address in both)).number
    source = source_of(github, github.add_actions_token(), private=True)
    assert [source(picture(address, f"issues/{issue}")) for address in both] == [b"1", b"2"]
    assert len(github.requests) == 1


def test_files_of_the_repository_come_from_the_api(github: LoopbackGitHub):
    github.repository().private = True
    address = f"{github.url}/octo/spoon/blob/main/docs/a%20b.png?raw=true"
    token = github.add_actions_token({"contents": "read"})
    assert source_of(github, token, private=True)(picture(address)) == b"drawn"
    assert [request.path for request in github.requests] == [
        "/repos/octo/spoon/contents/docs/a%20b.png".replace("%20", " ")
    ]
    with pytest.raises(NotHad, match="no such file"):
        source_of(github, token, private=True)(picture(f"{github.url}/octo/spoon/blob/main/none.png"))


def test_files_that_are_kept_from_the_agent_are_not_asked_for(github: LoopbackGitHub):
    seen = []
    source = source_of(github, github.add_actions_token(), hides=lambda path: seen.append(path) or True)
    with pytest.raises(ValueError, match="keep this file from the agent"):
        source(picture(f"{github.url}/octo/spoon/raw/main/docs/%61%20b.png"))
    assert seen == ["docs/a b.png"]
    assert github.requests == []
