"""The part of a pull request's text that a model may change: its own words, and nothing of what the host wrote."""

from ay_bot.errors import GithubFailed
from ay_bot.host.pull_request import quote_summary

PROOF_HEADING = "\n## How this was verified\n"


def replace_summary(body: str, words: str) -> str:
    """Return the text with other words of the model's; the host's sections, and its marker, stay.

    A model's words are a quotation, so that no heading in them can be taken for the host's.
    """
    plain = body.replace("\r\n", "\n")
    _, heading, rest = plain.partition(PROOF_HEADING)
    if not heading:
        raise GithubFailed(
            "the pull request's text was changed by somebody, and what was verified is not in it any more",
            hint="a person can change the text",
        )
    return f"## What and why\n\n{quote_summary(words)}\n{heading}{rest}"
