"""What a pull request's text says on GitHub beyond the proof: who asked, in which run, what it closes, its limits."""

import hashlib
import re

from ay_bot.host.changes import VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import CheckedPatch, Proof
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.github.exactly_once import Marker, read_markers
from ay_bot.host.github.publication import Occasion
from ay_bot.host.pull_request import PullRequestText, escape_cell, render

PULL = "pull"
"""The kind of the marker in the text of a pull request of ours."""
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\[bot\])?")
_ADDRESS = re.compile(r"https?://[\w.:/-]{1,300}", re.ASCII)
_NO_CI = (
    "CI does not start by itself here: the commit was made with the workflow's own token, for which GitHub starts no "
    "workflows. To start it, close and reopen this pull request, or give ay-bot a `ci-token`. Until then the status "
    "`ay-bot/verified` says what ay-bot has run itself."
)


def write_text(
    occasion: Occasion, checkout: Checkout, checked: CheckedPatch, message: CommitMessage, summary: str, *, ci: bool
) -> PullRequestText:
    """Return title and body; without `ci` GitHub starts no workflows for what our token does."""
    text = render(title=message.subject, summary=summary, task=occasion.task, patch=checked.patch, proof=checked.proof)
    facts = {"content": content_of(checkout, checked.patch)}
    marker = Marker(kind=PULL, key=occasion.key, facts=facts)
    return text.model_copy(
        update={
            "sections": (*text.sections, _render_limits(checked.proof, ci=ci)),
            "end": (render_origin(occasion), *text.end, marker.text),
        }
    )


def content_of(checkout: Checkout, patch: VerifiedPatch) -> str:
    """Return what tells one change from another: paths, modes and contents of what it makes."""
    digest = hashlib.sha256()
    for difference in checkout.compare(patch.base, patch.tree):
        digest.update(f"{difference.new_mode} {difference.new_id} ".encode() + difference.path + b"\0")
    return digest.hexdigest()[:16]


def content_in(body: str) -> str:
    """Return the content that the text of a pull request of ours says it has, "" where it says nothing."""
    return next((marker.facts.get("content", "") for marker in read_markers(body) if marker.kind == PULL), "")


def keys_in(body: str) -> frozenset[str]:
    """Return the requests that the text of a pull request of ours was written for."""
    return frozenset(marker.key for marker in read_markers(body) if marker.kind == PULL)


def render_origin(occasion: Occasion) -> str:
    """Return one line: who asked, in which run, and for which thread."""
    asked = f"asked for by @{occasion.requester}" if _LOGIN.fullmatch(occasion.requester) else ""
    run = f"made in [this run]({occasion.run_url})" if _ADDRESS.fullmatch(occasion.run_url) else ""
    words = ", ".join(part for part in (asked, run) if part)
    about = (
        f"Closes #{occasion.closes}." if occasion.closes else f"About #{occasion.number}." if occasion.number else ""
    )
    return " ".join(part for part in (f"{words[:1].upper()}{words[1:]}." if words else "", about) if part)


def _render_limits(proof: Proof, *, ci: bool) -> str:
    lines = [f"Only {escape_cell(proof.command)} was run, in a box without network; nothing else of the project's CI."]
    if not proof.per_test:
        lines.append("Single tests could not be compared, only exit codes.")
    if not ci:
        lines.append(_NO_CI)
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)
