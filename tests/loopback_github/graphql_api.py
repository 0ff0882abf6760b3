"""GraphQL: the calls in use, run by graphql-core against GitHub's own schema."""

import base64
import binascii
import gzip
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.loopback_github import git_store, pushes, render
from tests.loopback_github.graphql_objects import Failed, Objects
from tests.loopback_github.routing import NO_ROUTE, Call, Refused, Reply
from tests.loopback_github.switches import Request
from tests.loopback_github.world import Reaction, Repository, Token

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub

CONTENTS = {
    "THUMBS_UP": "+1", "THUMBS_DOWN": "-1", "LAUGH": "laugh", "CONFUSED": "confused", "HEART": "heart", "HOORAY": "hooray",
    "ROCKET": "rocket", "EYES": "eyes",
}  # fmt: skip
FILE = Path(__file__).with_name("schema.graphql.gz")


@cache
def schema() -> Any:
    from graphql import build_schema

    text = gzip.decompress(FILE.read_bytes()).decode()
    return build_schema(text, assume_valid=True, assume_valid_sdl=True, no_location=True)


def run(github: "LoopbackGitHub", request: Request, token: Token | None, addresses: tuple[str, str]) -> Reply:
    from graphql import GraphQLError, graphql_sync, parse, validate

    if token is None:
        raise Refused(401, "This endpoint requires you to be authenticated.")
    body = request.body
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        github.violations.append("POST /graphql: no query")
        raise Refused(400, "A query attribute must be specified and must be a string.")
    try:
        problems = validate(schema(), parse(body["query"]))
    except GraphQLError as error:
        problems = [error]
    if problems:
        github.violations += [f"POST /graphql: {problem.message}" for problem in problems]
        return Reply(200, {"errors": [{"message": problem.message} for problem in problems]})
    call = Call(github.world, NO_ROUTE, {}, {}, None, *addresses, "/graphql", token)
    done = graphql_sync(schema(), body["query"], Root(call), variable_values=body.get("variables"), type_resolver=_kind)
    if done.errors and done.data is None and not any(isinstance(e.original_error, Failed) for e in done.errors):
        github.violations += [f"POST /graphql: {error.message}" for error in done.errors]
    shown: dict[str, Any] = {"data": done.data}
    if done.errors:
        shown["errors"] = [_error(error) for error in done.errors]
    return Reply(200, shown)


def _kind(value: Any, info: Any, abstract: Any) -> str:
    return str(value["__typename"])


def _error(error: Any) -> dict[str, Any]:
    original = error.original_error
    kind = original.kind if isinstance(original, Failed) else "UNPROCESSABLE"
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {"type": kind, "path": error.path, "locations": places, "message": error.message}


class Root(Objects):
    """The fields of Query and Mutation."""

    def viewer(self, info: Any) -> dict[str, Any]:
        shown = self.actor(self.call.actor.login)
        return {**shown, "__typename": "User"}

    def repository(self, info: Any, owner: str, name: str, followRenames: bool = True) -> dict[str, Any]:  # noqa: N803
        return self.repository_object(self.visible(f"{owner}/{name}"))

    def visible(self, name: str) -> Repository:
        found = self.call.world.repository(name)
        if found is None or not self.call.sees(found):
            raise Failed("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
        return found

    def node(self, info: Any, id: str) -> dict[str, Any]:  # noqa: A002
        return self.node_object(id)

    def nodes(self, info: Any, ids: list[str]) -> list[dict[str, Any] | Failed]:
        return [self._node_or_error(one) for one in ids]

    def _node_or_error(self, name: str) -> dict[str, Any] | Failed:
        try:
            return self.node_object(name)
        except Failed as failed:
            return failed

    def addReaction(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        repo, subject = self.find_node(input["subjectId"])
        on_pull = repo.threads[subject.number].kind == "pull_request"
        scopes = ("issues:write", "pull_requests:write") if on_pull else ("issues:write",)
        if not any(self.call.may(repo, scope, "read") for scope in scopes):
            raise Failed("FORBIDDEN", "Resource not accessible by integration")
        world, content = self.call.world, CONTENTS[input["content"]]
        same = [r for r in subject.reactions if (r.content, r.login) == (content, self.call.actor.login)]
        made = same[0] if same else Reaction(world.new_id(), content, self.call.actor.login, world.now())
        subject.reactions += [] if same else [made]
        shown = {"id": render.node_id("REA", made.id), "databaseId": made.id, "content": input["content"]}
        return {
            "clientMutationId": input.get("clientMutationId"),
            "reaction": {**shown, "createdAt": render.moment(made.created)},
        }

    def createCommitOnBranch(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        repo, branch = self._branch(input["branch"])
        if not self.call.may(repo, "contents:write", "write"):
            raise Failed("FORBIDDEN", "Resource not accessible by integration")
        head = git_store.branch_head(repo.git, branch)
        if head is None:
            raise Failed("NOT_FOUND", f"Could not resolve to a Ref with the name 'refs/heads/{branch}'.")
        if branch in repo.protected:
            raise Failed("UNPROCESSABLE", f"Cannot update this protected ref: {branch}")
        if head != input["expectedHeadOid"]:
            raise Failed(
                "STALE_DATA",
                f'Expected branch to point to "{input["expectedHeadOid"]}" but it points to "{head}". Pull and try again.',
            )
        sha = self._commit(repo, head, input)
        git_store.set_ref(repo.git, f"refs/heads/{branch}", sha)
        pushes.note(self.call.world, repo, self.call.actor.login)
        shown = {"clientMutationId": input.get("clientMutationId"), "commit": self.commit_object(repo, sha)}
        return {**shown, "ref": self.ref_object(repo, branch)}

    def _branch(self, branch: dict[str, Any]) -> tuple[Repository, str]:
        if "repositoryNameWithOwner" not in branch or "branchName" not in branch:
            raise Failed(
                "UNPROCESSABLE", "The loopback GitHub knows branches by repositoryNameWithOwner and branchName alone."
            )
        return self.visible(branch["repositoryNameWithOwner"]), branch["branchName"].removeprefix("refs/heads/")

    def _commit(self, repo: Repository, head: str, input: dict[str, Any]) -> str:  # noqa: A002
        changes, files = input.get("fileChanges") or {}, dict[str, bytes | None]()
        for row in changes.get("deletions") or []:
            if git_store.blob(repo.git, head, row["path"]) is None:
                raise Failed(
                    "UNPROCESSABLE",
                    f"A path was requested for deletion which does not exist as of commit oid `{head}`: {row['path']}",
                )
            files[row["path"]] = None
        for row in changes.get("additions") or []:
            if row["path"] in files:
                raise Failed("UNPROCESSABLE", f"The path {row['path']} was both added and deleted.")
            files[row["path"]] = _decode(row["contents"], row["path"])
        workflow = next((path for path in files if path.startswith(".github/workflows/")), "")
        token = self.call.token
        if workflow and token and token.permissions is not None and token.permissions.get("workflows") != "write":
            raise Failed(
                "FORBIDDEN",
                f"refusing to allow a GitHub App to create or update workflow `{workflow}` without `workflows` permission",
            )
        message = input["message"]["headline"] + ("\n\n" + body if (body := input["message"].get("body")) else "")
        me = self.call.actor
        author = (me.name or me.login, f"{me.id}+{me.login}@users.noreply.github.com")
        sha = git_store.commit_files(repo.git, head, files, message, author, git_store.WEB_FLOW)
        repo.signed.add(sha)
        return sha


def _decode(contents: str, path: str) -> bytes:
    try:
        return base64.b64decode(contents, validate=True)
    except binascii.Error:
        raise Failed("UNPROCESSABLE", f"The contents of {path} are not base64.") from None
