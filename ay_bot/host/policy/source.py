"""The policy that holds in a repository: its settings at HEAD, the tree they are of, and where each of them stands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ay_bot.errors import UsageError
from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.config import CONFIG_FILE, Overrides, Settings
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.repository import open_repository
from ay_bot.host.scratch import open_scratch
from ay_bot.host.settings_file import load_settings

LONGEST = 1024 * 1024


@dataclass(frozen=True)
class PolicySource:
    """Settings, and the file that says them; without a repository the defaults alone."""

    settings: Settings
    file: bytes = b""
    name: str = CONFIG_FILE
    checkout: Checkout | None = None

    @property
    def paths(self) -> PathPolicy:
        """What holds for files."""
        return PathPolicy(rules=self.settings.files)

    def place(self, *steps: str | int) -> str:
        """Say where a setting stands, as FILE:LINE; `the default` where the file does not say it."""
        line = find_line(self.file, steps)
        return f"{self.name}:{line}" if line else "the default"

    def is_there(self, path: str) -> bool:
        """Whether HEAD has a file or a directory of this name."""
        if not self.checkout:
            return False
        name = path.strip("/").encode("utf-8", "surrogateescape")
        files = self.checkout.list_files(self.checkout.repository.head)
        return name in files or any(file.startswith(name + b"/") for file in files)


@contextmanager
def open_policy(repository: Path | None, file: Path | None = None) -> Iterator[PolicySource]:
    """Read the policy of a repository's HEAD, or that of `file` in its place. Raises UsageError."""
    content = read_policy_file(file) if file else None
    if repository is None:
        yield _source(content or b"", file, None)
        return
    with open_scratch() as scratch, open_checkout(open_repository(repository), scratch) as checkout:
        committed = checkout.read_file(checkout.repository.head, CONFIG_FILE) or b""
        yield _source(committed if content is None else content, file, checkout)


def find_repository(directory: Path) -> Path | None:
    """Return a directory that is in a repository with a commit, None for any other."""
    try:
        return open_repository(directory).path
    except UsageError:
        return None


def read_policy_file(file: Path) -> bytes:
    """Return what a configuration file holds. Raises UsageError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{file} can't be read: {error.strerror}", hint="give a file like .github/ay-bot.yml"
        ) from None
    if len(content) > LONGEST:
        raise UsageError(f"{file} has more than {LONGEST} bytes", hint="give a file like .github/ay-bot.yml")
    return content


def find_line(file: bytes, steps: Sequence[str | int]) -> int:
    """Return the line of a setting in a YAML file, counted from 1; 0 where it isn't there."""
    import yaml

    try:
        node = yaml.compose(file.decode("utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return 0
    line = 0
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                return 0
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return 0
    return line


def _source(content: bytes, file: Path | None, checkout: Checkout | None) -> PolicySource:
    settings = load_settings(content or None, Overrides(), needs_model=False)
    return PolicySource(settings, content, str(file) if file else CONFIG_FILE, checkout)
