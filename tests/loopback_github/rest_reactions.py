"""REST: reactions on issues, comments and review comments; the same one twice is one."""

from tests.loopback_github import render
from tests.loopback_github.rest_issues import comment_of, thread_of
from tests.loopback_github.rest_repository import REPO
from tests.loopback_github.routing import Call, Refused, Reply, route
from tests.loopback_github.world import Reaction

ON_ISSUE = REPO + "/issues/{issue_number}/reactions"
ON_COMMENT = REPO + "/issues/comments/{comment_id}/reactions"
ON_REVIEW_COMMENT = REPO + "/pulls/comments/{comment_id}/reactions"


def react(call: Call, reactions: list[Reaction]) -> Reply:
    content, login = call.body["content"], call.actor.login
    for made in reactions:
        if (made.content, made.login) == (content, login):
            return Reply(200, render.reaction(call, made))
    made = Reaction(call.world.new_id(), content, login, call.world.now())
    reactions.append(made)
    return Reply(201, render.reaction(call, made))


def list_reactions(call: Call, reactions: list[Reaction]) -> Reply:
    wanted = call.query.get("content")
    return call.page([r for r in reactions if wanted in (None, r.content)], lambda made: render.reaction(call, made))


def remove(call: Call, reactions: list[Reaction]) -> Reply:
    for made in reactions:
        if made.id == int(call.parameters["reaction_id"]) and made.login == call.actor.login:
            reactions.remove(made)
            return Reply(204)
    raise Refused(404, "Not Found")


@route("POST", ON_ISSUE, "issues:write")
def react_to_issue(call: Call) -> Reply:
    return react(call, thread_of(call, call.repo).reactions)


@route("GET", ON_ISSUE, "issues:read")
def reactions_of_issue(call: Call) -> Reply:
    return list_reactions(call, thread_of(call, call.repo).reactions)


@route("DELETE", ON_ISSUE + "/{reaction_id}", "issues:write")
def unreact_to_issue(call: Call) -> Reply:
    return remove(call, thread_of(call, call.repo).reactions)


@route("POST", ON_COMMENT, "issues:write")
def react_to_comment(call: Call) -> Reply:
    return react(call, comment_of(call, call.repo, "comment").reactions)


@route("GET", ON_COMMENT, "issues:read")
def reactions_of_comment(call: Call) -> Reply:
    return list_reactions(call, comment_of(call, call.repo, "comment").reactions)


@route("DELETE", ON_COMMENT + "/{reaction_id}", "issues:write")
def unreact_to_comment(call: Call) -> Reply:
    return remove(call, comment_of(call, call.repo, "comment").reactions)


@route("POST", ON_REVIEW_COMMENT, "pull_requests:write")
def react_to_review_comment(call: Call) -> Reply:
    return react(call, comment_of(call, call.repo, "review_comment").reactions)


@route("GET", ON_REVIEW_COMMENT, "pull_requests:read")
def reactions_of_review_comment(call: Call) -> Reply:
    return list_reactions(call, comment_of(call, call.repo, "review_comment").reactions)
