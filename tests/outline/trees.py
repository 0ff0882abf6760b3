"""A tree in memory, for the outline's tests; each of its commits knows the ones before it."""

from hashlib import sha1

from ay_bot.outline.tree_source import Commit, Entry


class Tree:
    """A Source: files by path, and the messages and paths of earlier commits, the newest first."""

    def __init__(self, files, past=()):
        self.files = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self._past = {sha1(repr(commit).encode()).hexdigest(): commit for commit in past}
        self.asked = []

    @property
    def tree(self):
        return sha1(repr(sorted(self.files.items())).encode()).hexdigest()

    def entries(self):
        return [Entry(path, sha1(text).hexdigest()) for path, text in sorted(self.files.items())]

    def blobs(self, blobs, largest):
        known = {sha1(text).hexdigest(): text for text in self.files.values()}
        for blob in blobs:
            self.asked.append(blob)
            text = known.get(blob)
            yield blob, text if text is not None and len(text) <= largest else None

    def past(self):
        return list(self._past)

    def commits(self, commits):
        for commit in commits:
            message, paths = self._past[commit]
            yield Commit(commit, message, tuple(paths))
