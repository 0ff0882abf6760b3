"""Whose commits are on a branch: ours for a request, by account and trailer, or somebody else's.

A commit counts as ours if GitHub's accounts say so *and* its message ends in our trailers: other workflows of a
repository may use the same account (`github-actions[bot]`), and a trailer alone anybody can write. Where GitHub knows
no account for author and committer, as for a commit that was pushed with an address it doesn't know, the trailers
decide.
"""

import re
from collections.abc import Sequence

from ay_bot.host.checkout import Author
from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.github.exactly_once import is_own
from ay_bot.host.github.forge import Commit
from ay_bot.host.github.publication import Occasion

REQUEST_TRAILER = "Ay-Request"
WEB_FLOW = "web-flow"
"""The account under which GitHub itself commits what is made over its API."""
_ACTIONS = "github-actions[bot]"
_ACTIONS_ID = 41898282
_TRAILER = re.compile(r"([A-Za-z][A-Za-z-]*): (\S.*)")
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?")


def sign(message: CommitMessage, occasion: Occasion) -> CommitMessage:
    """Return the message with the trailers of its occasion at the end."""
    trailers = list(message.trailers)
    if _LOGIN.fullmatch(occasion.requester):
        trailers.append(f"Requested-by: {occasion.requester}")
    if occasion.run_url:
        trailers.append(f"Ay-Run: {occasion.run_url}")
    return message.model_copy(update={"trailers": (*trailers, f"{REQUEST_TRAILER}: {occasion.key}")})


def request_of(commit: Commit, own: str) -> str | None:
    """Return the key of the request that a commit of ours was made for, None if it isn't ours."""
    key = read_trailers(commit.message).get(REQUEST_TRAILER)
    accounts = [account for account in (commit.author, commit.committer) if account is not None]
    allowed = {own.lower(), WEB_FLOW}
    if key is None or any(account.lower() not in allowed for account in accounts):
        return None
    by_us = commit.author is not None and is_own(commit.author, own)
    return key if by_us or not accounts else None


def read_trailers(message: str) -> dict[str, str]:
    """Return the trailers in the last paragraph of a message, of equal ones the last; only whole lines count."""
    last = message.replace("\r\n", "\n").strip().rsplit("\n\n", 1)[-1].splitlines()
    found = [_TRAILER.fullmatch(line.strip()) for line in last]
    return {match[1]: match[2].strip() for match in found if match} if all(found) else {}


def find_others(commits: Sequence[Commit], own: str) -> tuple[str, ...]:
    """Return who, beside us, made commits: accounts, or short commit ids where GitHub knows no account."""
    foreign = [commit for commit in commits if request_of(commit, own) is None]
    return tuple(dict.fromkeys(_name_maker(commit, own) for commit in foreign))


def author_for(own: str) -> Author:
    """Return what our pushed commits say, so that GitHub finds our account by it."""
    name = f"{_ACTIONS_ID}+{own}" if own == _ACTIONS else own
    return Author(own, f"{name}@users.noreply.github.com")


def _name_maker(commit: Commit, own: str) -> str:
    known = [who for who in (commit.committer, commit.author) if who and not is_own(who, own) and who != WEB_FLOW]
    return known[0] if known else f"commit {commit.sha[:12]}"
