"""The two mixed trees of verification: one commit's tests over the other commit's code."""

from collections.abc import Sequence

from ay_bot.host.changes import PatchEntry, VerifiedPatch
from ay_bot.host.checkout import Checkout
from ay_bot.host.test_files import belongs_to_tests
from ay_bot.host.test_settings import same_test_settings
from ay_bot.host.tree_stream import TreeChange


def base_tests_over_candidate(checkout: Checkout, patch: VerifiedPatch) -> str:
    """Return the candidate's tree with every test file and test configuration exactly as the base commit has it."""
    return _lay_over(checkout, patch.tree, patch.base, _test_entries(checkout, patch))


def candidate_tests_over_base(checkout: Checkout, patch: VerifiedPatch) -> str:
    """Return the base commit's tree with every test file and test configuration as the candidate has it."""
    return _lay_over(checkout, patch.base, patch.tree, _test_entries(checkout, patch))


def _test_entries(checkout: Checkout, patch: VerifiedPatch) -> tuple[PatchEntry, ...]:
    return tuple(
        entry
        for entry in patch.entries
        if belongs_to_tests(entry.path) and not _only_describes(checkout, patch, entry.path)
    )


def _only_describes(checkout: Checkout, patch: VerifiedPatch, path: str) -> bool:
    """Whether a manifest changed in what the package is (a dependency, an entry point), not in how its tests run."""
    before, after = checkout.read_file(patch.base, path), checkout.read_file(patch.tree, path)
    return before is not None and after is not None and same_test_settings(path, before, after)


def _lay_over(checkout: Checkout, under: str, over: str, entries: Sequence[PatchEntry]) -> str:
    there = checkout.list_files(over)
    changes = []
    for entry in entries:
        path = entry.path.encode()
        wanted = there.get(path)
        changes.append(TreeChange(path, wanted.mode, object_id=wanted.object_id) if wanted else TreeChange(path, None))
    return checkout.write_tree(under, changes)
