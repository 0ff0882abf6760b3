"""The hand-over of the hardened form: the job with the model writes a bundle, the job with the write token reads it."""

from dataclasses import dataclass, field
from pathlib import Path

from ay_bot.host.commit_message import CommitMessage
from ay_bot.host.findings import Given
from ay_bot.host.github.bundle import Bundle, Manifest, write_bundle
from ay_bot.host.github.request import Request
from ay_bot.host.publisher import Proposal, Publication
from ay_bot.host.report import Result
from ay_bot.host.repository import Repository
from ay_bot.protocol.messages import ChangedFile, Finished

EMPTY = CommitMessage(subject="")


@dataclass
class BundlePublisher:
    """Publishes into a bundle: what was proven here is proven again where it is published."""

    run: str
    request: Request
    base: str
    base_branch: str
    _change: Finished = field(default_factory=lambda: Finished(reason="finished"))
    _contents: bytes = b""
    _message: CommitMessage = EMPTY

    def prepare(self, repository: Repository) -> None:
        """Find nothing to refuse."""

    def publish(self, proposal: Proposal) -> Publication:
        """Keep the change until the run has its result."""
        patch = proposal.checked.patch
        there = [entry for entry in patch.entries if entry.mode]
        contents = proposal.checkout.read_files(patch.tree, [entry.path.encode() for entry in there])
        records = tuple(
            ChangedFile.model_validate(
                {"path": entry.path, "mode": entry.mode, "size": len(contents[entry.path.encode()])}
            )
            for entry in there
        )
        self._contents = b"".join(contents[entry.path.encode()] for entry in there)
        self._message = proposal.message
        self._change = Finished(
            reason="finished",
            summary=proposal.summary,
            changed=records,
            deleted=tuple(entry.path for entry in patch.entries if not entry.mode),
            body_size=len(self._contents),
        )
        return Publication(proposal.pull_request)

    def write(self, directory: Path, result: Result) -> None:
        """Write the bundle of a run that ended so."""
        manifest = Manifest(
            run=self.run,
            key=self.request.key,
            repository=self.request.repository,
            base=self.base,
            base_branch=self.base_branch,
            subject=self._message.subject,
            body=self._message.body,
        )
        change = self._change.model_copy(update={"outputs": result.outputs})
        bundle = Bundle(
            manifest=manifest, request=self.request, result=result, finished=change, contents=self._contents
        )
        write_bundle(directory, bundle)


def given_by(bundle: Bundle) -> Given:
    """Return a bundle's work as what it is: a claim that has to be proven."""
    message = bundle.message
    return Given(bundle.finished, bundle.contents, message.text if message else "")
