"""AT-22 and AT-30: a secret planted in each sink, in several encodings, does not come out of it."""

import io
import json
from types import SimpleNamespace

import pytest
from encodings_of_secrets import ENCODINGS, TOKEN, UNNAMED

from ay_bot.host.event_log import EventLog
from ay_bot.host.github.annotations import WorkflowLog
from ay_bot.host.github.api_request import Asked, Pace, Reply
from ay_bot.host.github.api_wire import Wire
from ay_bot.host.github.branch_name import build_branch_name
from ay_bot.host.github.job_summary import Surroundings, render_summary
from ay_bot.host.github.tracking_text import render_comment
from ay_bot.host.output import OutputDirectory
from ay_bot.host.outputs.check import check
from ay_bot.host.outputs.decision import Code
from ay_bot.host.redact.outgoing import redacting
from ay_bot.host.redact.redactor import MARK, Redactor
from ay_bot.host.report import PullRequest, SuiteRun
from ay_bot.host.suite import SuiteResult
from ay_bot.protocol.conversation import Usage
from ay_bot.protocol.events import AssistantSaid, ModelAnswered, RunFinished, ToolFinished
from ay_bot.protocol.outputs import CommentOutput
from ay_bot.terminal import Progress
from tests.host.github.stories import make_result, make_story
from tests.host.outputs.batches import ISSUE, POLICY

REDACTOR = Redactor((TOKEN, UNNAMED))
CHOSEN = (
    "plain",
    "reversed",
    "a character a line",
    "hex",
    "base64, one before",
    "base32",
    "percent of some",
    "upper case",
)
FORMS = pytest.mark.parametrize("encode", [ENCODINGS[name] for name in CHOSEN], ids=CHOSEN)


def holds(text):
    return bool(REDACTOR.find_values(text if isinstance(text, bytes) else text.encode()))


@FORMS
def test_at_22_events_on_disk_and_on_the_terminal(encode, tmp_path):
    hidden, shown, workflow = encode(UNNAMED), io.StringIO(), []
    log = EventLog(
        "run", (Progress(shown), lambda record: WorkflowLog(workflow.append).untrusted(str(record))), REDACTOR
    )
    log.write_to(tmp_path / "events.jsonl")
    log.emit_from_agent(AssistantSaid(text=f"I found {hidden}"))
    log.emit_from_agent(ToolFinished(tool="shell", ok=True, seconds=1, outcome=hidden))
    log.emit(ModelAnswered(request_id=1, seconds=1, usage=Usage(), total=Usage(), tool_calls=(hidden[:9], hidden)))
    log.emit(RunFinished(status="error", reason=f"it said {hidden}", exit_code=1))
    log.notice(f"a notice with {hidden}")
    log.close()
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]
    for text in ("".join(lines), shown.getvalue(), "\n".join(workflow)):
        assert MARK in text
        assert not holds(text)


@FORMS
def test_at_22_the_files_of_a_run(encode, tmp_path):
    hidden = encode(UNNAMED)
    junit = f"<testsuite><testcase name='a'><failure>{hidden}</failure></testcase></testsuite>".encode()
    ran = SuiteResult(purpose="candidate", tree="0" * 40, image="i", exit_code=1, seconds=1, output="", junit=junit)
    output = OutputDirectory(tmp_path, REDACTOR)
    result = make_result(
        reason=hidden, summary=f"It was {hidden}", commit_message=f"fix: it\n\n{hidden}\n", branch=hidden,
        pull_request=PullRequest(title=f"Mend {hidden}", body=f"Text\n\n{hidden}\n"), notices=("fine", hidden),
    )  # fmt: skip
    output.write(result, f"+++ b/a.py\n+key = '{hidden}'\n".encode())
    output.write_reports(SimpleNamespace(results=(ran,)))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in written} > {"result.json", "change.diff", "pull-request.md"}
    for path in written:
        assert MARK in path.read_text()
        assert not holds(path.read_bytes())


@FORMS
def test_at_30_what_people_see_on_github(encode):
    hidden = encode(TOKEN)
    result = make_result(reason=f"because {hidden}", notices=(hidden,), sandbox=hidden)
    story = make_story(state="failed", reason=f"because {hidden}", notices=(hidden,))
    for page in (render_summary(result, Surroundings()), render_comment(story, 1.0)):
        assert holds(page), "the page is to hold it before it is redacted"
        assert not holds(REDACTOR.redact(page))
    assert not holds(render_summary(REDACTOR.redact_model(result), Surroundings()))


@FORMS
def test_at_30_what_is_sent_to_github(encode):
    sent, hidden = [], encode(TOKEN)

    def send(asked):
        sent.append(asked)
        return Reply(200, {}, '{"data": {}}')

    wire = Wire(redacting(send, REDACTOR), Pace(between_writes=0))
    wire.write("POST", "/repos/o/r/issues/7/comments", {"body": f"Look: {hidden}"})
    wire.write(
        "POST", "/repos/o/r/pulls", {"title": hidden, "body": "x", "head": "ay/1", "draft": True, "labels": [hidden]}
    )
    wire.write("POST", "/repos/o/r/git/refs", {"ref": f"refs/heads/ay/{hidden}", "sha": "0" * 40})
    wire.write("POST", "/repos/o/r/git/commits", {"message": f"fix: it\n\n{hidden}", "parents": ["1" * 40]})
    wire.mutate("mutation M { x }", input={"message": {"headline": hidden, "body": None}})
    assert len(sent) == 5
    assert not any(holds(json.dumps(asked.body, ensure_ascii=False)) for asked in sent)
    assert sent[1].body["draft"] is True
    assert sent[3].body["parents"] == ["1" * 40]


def test_what_was_proven_is_sent_as_it_was_proven():
    sent, fixture = [], "key = 'glpat-aB3dE5gH7jK9mN1pQ3sT'"
    additions = [{"path": "a.py", "contents": fixture}]
    body = {"variables": {"input": {"headline": fixture, "fileChanges": {"additions": additions}}}}
    redacting(lambda each: sent.append(each) or Reply(200, {}, ""), REDACTOR)(Asked("POST", "/graphql", body=body))
    given = sent[0].body["variables"]["input"]
    assert given["fileChanges"]["additions"] == additions
    assert MARK in given["headline"]


def test_what_holds_nothing_is_sent_as_it_is():
    sent = []
    asked = Asked("POST", "/x", body={"body": "Look: nothing", "number": 4, "list": ["a", None]}, again=False)
    redacting(lambda each: sent.append(each) or Reply(200, {}, ""), REDACTOR)(asked)
    assert sent[0] is asked


@FORMS
def test_at_30_an_agents_outputs_are_denied(encode):
    output = CommentOutput(body=f"Look: {encode(TOKEN)}")
    (decision,) = check([output.model_dump()], POLICY, ISSUE.model_copy(update={"secrets": REDACTOR.values}))
    assert decision.code is Code.SANITISE
    assert decision.rule == "secrets"


@FORMS
def test_at_30_a_branch_is_named_without_it(encode):
    name = build_branch_name("7", REDACTOR.redact(f"Mend {encode(TOKEN)}"), "0123456789ab")
    assert name.startswith("ay/7-mend-")
    assert not holds(name)


def test_a_secret_cut_into_several_fields_is_found():
    cut = SuiteRun(purpose=TOKEN[:9], tree=TOKEN[9:18], ending=TOKEN[18:], seconds=1, passed=2, failed=0, skipped=0)
    assert holds(f"{cut.purpose} {cut.tree} {cut.ending}")
    redacted = REDACTOR.redact_model(cut)
    assert (redacted.purpose, redacted.tree, redacted.ending, redacted.passed) == (MARK, MARK, MARK, 2)


def test_a_model_without_findings_is_the_same_object():
    result = make_result()
    assert REDACTOR.redact_model(result) is result
