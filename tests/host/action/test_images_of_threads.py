"""What people show on a thread comes before the model: fetched through the loopback GitHub, whole runs around it."""

import base64
import struct
import zlib
from pathlib import Path

import pytest

from ay_bot.protocol.events import Noticed
from ay_bot.protocol.messages import GatewayReady
from ay_bot.protocol.model_facts import ModelFacts
from tests.host.action.deliveries import BOT, FILES, Desk, Model, open_desk
from tests.host.test_pipeline import FINISH, MEND
from tests.loopback_github.server import LoopbackGitHub


def png(width: int, height: int = 2) -> bytes:
    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))


class Blind(Model):
    """A model of which nobody knows that it sees."""

    def wait_ready(self) -> GatewayReady:
        return GatewayReady(facts={"main": ModelFacts(model="openai/blind")})


def shown_to_the_model(desk: Desk) -> tuple[list[int], str]:
    """Return the widths of the images that the gateway was handed, and the task as the model was told it."""
    model = desk.models[-1]
    (task,) = [
        message for message in model.requests[0].messages if message.role == "user" and "<<<ay" in message.content
    ]
    images = model.configured[-1].images
    assert task.images == tuple(image.part for image in images)
    return [image.part.width for image in images], task.content


def test_images_of_a_public_thread_go_along_and_those_that_cannot_be_had_are_told_of(desk: Desk):
    github = desk.github
    first, second, third = (github.attach(png(width)) for width in (11, 12, 13))
    words = f"![the total]({first})\n<!-- ![unseen]({third}) --><details><img src='{third}'></details>"
    issue = github.open_issue("add() subtracts", words, login="ben")
    desk.answers = lambda: Blind(MEND, FINISH)
    asked = f'@ay fix this\n\n<img width="9" alt="shot" src="{second}" /> ![x](https://elsewhere.example/x.png)'
    assert desk.say(issue.number, asked) == 0
    widths, text = shown_to_the_model(desk)
    assert widths == [12, 11]
    assert (
        "[image 1: shot] [image left out: it is on another server, and nothing is fetched from there; its words: x]"
        in text
    )
    assert "[image 2: the total]" in text
    assert "- image 1: of the requester @maria\n- image 2: of the maintainer @ben" in text
    assert desk.github.url not in text
    told = "Images left out: 1, since it is on another server"
    assert told in desk.tracking(issue.number)[0]
    assert "`openai/blind` can't see images" in desk.tracking(issue.number)[0]
    assert told in (desk.place / "run1" / "summary.md").read_text()
    assert any(isinstance(event, Noticed) and told in event.text for event in desk.events)
    assert [request.path.split("/")[1] for request in github.attachment_requests] == [
        "user-attachments",
        "_storage",
    ] * 2
    assert not [request for request in github.attachment_requests if "authorization" in request.headers]
    assert no_file_holds(desk, png(11), png(12), b"X-Amz-Signature")


def no_file_holds(desk: Desk, *secrets: bytes) -> bool:
    """Whether nothing that the last run left holds one of these, as it is or in Base64."""
    files = [path for path in (desk.place / f"run{desk.runs}").rglob("*") if path.is_file()]
    assert any(path.name == "events.jsonl" for path in files)
    told = [secret for each in secrets for secret in (each, base64.b64encode(each)[:30])]
    return not [path for path in files if any(secret in path.read_bytes() for secret in told)]


@pytest.fixture
def closed_desk(loopback_github: LoopbackGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    rules = "\nfiles: [{paths: ['drafts/**'], read: deny}]\n"
    files = {**FILES, ".github/ay-bot.yml": FILES[".github/ay-bot.yml"] + rules}
    files |= {"docs/a.png": png(21), "drafts/b.png": png(22)}
    desk = open_desk(loopback_github, tmp_path / "runs", monkeypatch, files)
    loopback_github.repository().private = True
    return desk


def test_two_jobs_see_a_private_thread_and_tell_of_what_they_did_not_see(closed_desk: Desk):
    """The job that may only read fetches with the address that GitHub signs; the one that publishes fetches nothing."""
    desk, github = closed_desk, closed_desk.github
    gone = f"{github.url}/user-attachments/assets/00000000-0000-0000-0000-000000000000"
    issue = github.open_issue("add() subtracts", f"![the total]({github.attach(png(11))}) ![gone]({gone})", login="ben")
    page = f"{github.url}/maria/bank"
    asked = f"@ay fix this ![drawn]({page}/blob/main/docs/a.png) ![draft]({page}/raw/main/%64rafts/b.png)"
    payload = github.payload_for_comment(github.comment(issue.number, asked))
    writer = desk.token
    desk.token = github.add_actions_token({"contents": "read", "issues": "read", "metadata": "read"})
    work = desk.environment("issue_comment", payload, mode="work")
    assert desk.run(work) == 0
    widths, text = shown_to_the_model(desk)
    assert widths == [21, 11]
    assert "[image left out: GitHub has no such file, or doesn't let us see it; its words: gone]" in text
    assert "[image left out: the settings keep this file from the agent; its words: draft]" in text
    assert not [request for request in github.requests if request.writes]
    assert no_file_holds(desk, png(11), png(21), b"X-Amz-Signature")
    with_token = [request.path for request in github.attachment_requests if "authorization" in request.headers]
    assert with_token == ["/user-attachments/assets/00000000-0000-0000-0000-000000000000"]
    github.forget_requests()
    bundle = Path(desk.outputs()["bundle"]) / "bundle"
    desk.token = writer
    publish = {**desk.environment("issue_comment", payload, mode="publish", bundle=str(bundle)), "INPUT_MODEL": ""}
    assert desk.run({**publish, "GITHUB_RUN_ID": work["GITHUB_RUN_ID"]}) == 0
    assert github.attachment_requests == []
    assert len(github.pulls()) == 1
    assert "Images left out: 1, since GitHub has no such file" in desk.tracking(issue.number)[0]
    assert "X-Amz-Signature" not in "".join(comment.body for comment in github.comments(issue.number, login=BOT))
