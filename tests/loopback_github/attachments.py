"""Files that people drop into comments: an address that sends on to a storage, which wants a signature and no token."""

import hashlib
import html
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.loopback_github.switches import Request
from tests.loopback_github.wire import Wire
from tests.loopback_github.world import Token, World

if TYPE_CHECKING:
    from tests.loopback_github.server import LoopbackGitHub

UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
ATTACHMENT_PATH = re.compile(rf"/user-attachments/assets/(?P<asset>{UUID})|/_storage/(?P<stored>\d+/\d+-{UUID}\.png)")
SECRET = "what only the storage knows"


@dataclass
class Attachment:
    uuid: str
    number: int
    repository: str
    data: bytes
    kind: str = "image/png"

    @property
    def stored(self) -> str:
        return f"1/{self.number}-{self.uuid}.png"


def keep(world: World, repository: str, data: bytes, kind: str) -> Attachment:
    """Keep a file and return it."""
    made = Attachment(str(uuid.uuid4()), world.new_id(), repository, data, kind)
    world.attachments[made.uuid] = made
    return made


def sign(path: str) -> str:
    return hashlib.sha256(f"{SECRET}{path}".encode()).hexdigest()


def signed(web: str, made: Attachment) -> str:
    """Return the address that the storage answers at, for whoever has it."""
    return f"{web}/_storage/{made.stored}?X-Amz-Expires=300&X-Amz-Signature={sign(made.stored)}"


def answer_attachment(github: "LoopbackGitHub", wire: Wire, found: re.Match[str], query: str) -> None:
    """Answer as github.com and its storage do."""
    token = github.world.tokens.get(wire.credentials() or "")
    request = Request(wire.command, found.string, query, None, token.login if token else None, route="attachment")
    request.headers = {name.lower(): value for name, value in wire.headers.items()}
    github.attachment_requests.append(request)
    failure = github.take_failure(request)
    web = f"{github.scheme}://{wire.host}"
    status, body, headers = _answer(github.world, found, query, request, token, web)
    if failure:
        status, body, headers = 502, "", {}
    request.status = status
    wire.send(status, body, headers)


def _answer(
    world: World, found: re.Match[str], query: str, request: Request, token: Token | None, web: str
) -> tuple[int, Any, dict[str, str]]:
    if stored := found["stored"]:
        if "authorization" in request.headers:
            return 400, "<Error><Code>InvalidArgument</Code>Only one auth mechanism allowed</Error>", {}
        made = next((each for each in world.attachments.values() if each.stored == stored), None)
        if made is None or f"X-Amz-Signature={sign(stored)}" not in query.split("&"):
            return 403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", {}
        return 200, made.data, {"Content-Type": made.kind}
    made = world.attachments.get(found["asset"])
    if made is None or not _sees(world, made, token):
        return 404, "Not Found", {}
    return 302, "", {"Location": signed(web, made)}


def _sees(world: World, made: Attachment, token: Token | None) -> bool:
    repository = world.repository(made.repository)
    if repository is None or not repository.private:
        return repository is not None
    if token is None or (token.app and not world.attachments_for_apps):
        return False
    if token.repositories is not None:
        return repository.full_name.lower() in token.repositories
    return world.role(repository, token.login) != "none"


def render_html(world: World, web: str, body: str | None) -> str:
    """Return about what GitHub makes of a text: here, the images alone, with addresses that the storage answers at."""

    def show(found: re.Match[str]) -> str:
        made = world.attachments.get(found[1])
        return html.escape(signed(web, made)) if made else found[0]

    return re.sub(
        r"!\[[^\]]*\]\(([^)\s]+)\)",
        r'<img src="\1">',
        re.sub(rf"{re.escape(web)}/user-attachments/assets/({UUID})", show, body or ""),
    )
