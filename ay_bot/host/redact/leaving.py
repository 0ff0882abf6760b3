"""What is about to leave a run, looked through as a whole: words, names, and the files of a change."""

from collections.abc import Iterable, Iterator, Sequence

from ay_bot.host.changes import VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.publisher import Proposal
from ay_bot.host.redact.canaries import describe
from ay_bot.host.redact.redactor import Finding, Redactor, texts_of
from ay_bot.protocol.outputs import Output


def why_not(redactor: Redactor, words: Iterable[tuple[str, object]], proposal: Proposal | None = None) -> str:
    """Return why a run has to end without publishing, or nothing; `words` are channels and what goes through them."""
    for channel, found in _found(redactor, words, proposal):
        if found.kind == "canary":
            return ", and what to do: ".join(describe(channel))
        return (
            f"a secret of this run, or a part of one, was found in {channel}; nothing was published. Look at the run's "
            "log before anything else, and replace the secret"
        )
    return ""


def words_of(summary: str, outputs: Sequence[Output]) -> Iterator[tuple[str, object]]:
    """Yield what an agent says, by channel."""
    yield "the summary", summary
    for output in outputs:
        yield f"an output ({output.type})", output


def files_with(redactor: Redactor, checkout: Checkout, patch: VerifiedPatch) -> Iterator[tuple[str, Finding]]:
    """Yield each file of a change that holds what its base did not: what is in the repository already is out."""
    paths = [entry.path.encode() for entry in patch.entries]
    before, after = checkout.read_files(patch.base, paths), checkout.read_files(patch.tree, paths)
    for path, content in after.items():
        if not (found := redactor.find_values(content)):
            continue
        old = {(each.kind, each.number) for each in redactor.find_values(before.get(path, b""))}
        for each in found:
            if (each.kind, each.number) not in old:
                yield path.decode(), each
                break


def _found(
    redactor: Redactor, words: Iterable[tuple[str, object]], proposal: Proposal | None
) -> Iterator[tuple[str, Finding]]:
    for channel, value in (*words, *(_words_about(proposal) if proposal else ())):
        text = "\n".join(texts_of(value))
        for each in redactor.find_values(text.encode("utf-8", "surrogatepass"))[:1]:
            yield channel, each
    if proposal:
        for path, each in files_with(redactor, proposal.checkout, proposal.checked.patch):
            yield f"the changed file `{path}`", each


def _words_about(proposal: Proposal) -> Iterator[tuple[str, object]]:
    yield "the name of a file", tuple(entry.path for entry in proposal.checked.patch.entries)
    yield "the commit message", proposal.message.text
    yield "the description of the pull request", proposal.pull_request
