"""Images that are built from the repository's own Dockerfile, at the trusted commit and under the set-up's network."""

import io
import tarfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.checkout import Checkout
from ay_bot.host.git import GitFailed, run_git
from ay_bot.host.plain_text import clean_line, clean_text
from ay_bot.host.sandbox import MIB
from ay_bot.host.sandbox.docker_calls import asking_to
from ay_bot.host.setup.dockerfile import find_sources
from ay_bot.host.setup.engine import BASE_LABEL, KEPT_REPOSITORY, KEY_LABEL, NOBODY, SOURCE_LABEL
from ay_bot.protocol.events import SetupRan

if TYPE_CHECKING:
    from ay_bot.host.sandbox.docker import DockerSandbox

LARGEST_CONTEXT: Final = 1024 * MIB
MEMORY: Final = 6144 * MIB
DOCKERFILE_IN_CONTEXT: Final = ".ay-bot.Dockerfile"
LAST_LINES: Final = 40
PROXY_ARGUMENTS: Final = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY")


@dataclass(frozen=True)
class Plan:
    """A build: paths are from the repository's root."""

    dockerfile: str
    context: str
    args: Mapping[str, str]
    target: str


@dataclass(frozen=True)
class Source:
    """The commit that a build reads, and what of it makes up its key."""

    checkout: Checkout
    commit: str

    def key_files(self, plan: Plan) -> tuple[tuple[str, str, str], ...]:
        """Return path, mode and id of all that the build depends on: whole directories by their tree's id."""
        content = self.read(plan)
        sources = find_sources(content, plan.dockerfile)
        wanted = [plan.context] if sources is None else [_join(plan.context, source) for source in sources]
        told = [("Dockerfile", plan.target, self._id(plan.dockerfile))]
        told += [("argument", name, value) for name, value in sorted(plan.args.items())]
        return (*told, *(("source", path, self._id(path)) for path in sorted(set(wanted))))

    def read(self, plan: Plan) -> bytes:
        """Return the Dockerfile. Raises UsageError."""
        content = self.checkout.read_file(self.commit, plan.dockerfile)
        if content is None:
            what = f"there is no `{clean_line(plan.dockerfile)}` in commit {self.commit[:12]}"
            raise UsageError(what, hint="name a Dockerfile of the repository, by its path from the root")
        return content

    def write_context(self, plan: Plan, destination: Path) -> None:
        """Write the context as a tar file, with the Dockerfile under a name of ours."""
        tree = self._id(plan.context)
        if self.checkout.archive(tree, destination) > LARGEST_CONTEXT:
            what = f"the context of {plan.dockerfile} is larger than {LARGEST_CONTEXT // MIB} MiB"
            raise UsageError(what, hint="name a smaller directory as its context, in a devcontainer.json")
        content = self.read(plan)
        with tarfile.open(destination, "a") as tar:
            entry = tarfile.TarInfo(DOCKERFILE_IN_CONTEXT)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))

    def _id(self, path: str) -> str:
        """Return the id of what is at a path: a blob's, or a tree's."""
        name = f"{self.commit}^{{tree}}" if path in {"", "."} else f"{self.commit}:{path}"
        try:
            found = run_git(["rev-parse", "--verify", "--end-of-options", name], git_dir=self.checkout.git_dir)
        except GitFailed:
            what = f"there is no `{clean_line(path)}` in commit {self.commit[:12]}, which the image is built from"
            raise UsageError(what, hint="the image is built from what is committed") from None
        return found.decode().strip()


def build(  # noqa: PLR0913 - each is a fact of its own, and named
    sandbox: "DockerSandbox",
    plan: Plan,
    context: Path,
    *,
    key: str,
    repository: str,
    holder: str,
    environment: Mapping[str, str],
    seconds: float,
    tell: Callable[[SetupRan], None],
) -> str:
    """Build an image and return its name; its steps share the network of the box `holder`, which has none but a proxy.

    `tell` hears of every step. Raises UsageError with the last lines if the build fails.
    """
    name = f"{KEPT_REPOSITORY}:{key}"
    arguments = {**plan.args, **{name: environment[name] for name in PROXY_ARGUMENTS if name in environment}}
    with context.open("rb") as packed, _explained(plan.dockerfile), asking_to(f"build {plan.dockerfile}"):
        said = sandbox.client.build(
            fileobj=packed,
            custom_context=True,
            dockerfile=DOCKERFILE_IN_CONTEXT,
            target=plan.target,
            tag=name,
            labels={**NOBODY, KEY_LABEL: key, SOURCE_LABEL: repository, BASE_LABEL: plan.dockerfile},
            buildargs=arguments,
            network_mode=f"container:{holder}",
            container_limits={"memory": MEMORY, "memswap": MEMORY},
            rm=True,
            forcerm=True,
            decode=True,
            timeout=int(seconds),
        )
        _follow(said, plan.dockerfile, tell)
    return name


@contextmanager
def _explained(dockerfile: str) -> Iterator[None]:
    """Raise UsageError where the engine says that the Dockerfile is wrong."""
    try:
        yield
    except SandboxUnavailable as error:
        said = str(getattr(error.__cause__, "explanation", ""))
        if "dockerfile" not in said.lower() and "target stage" not in said:
            raise
        what = f"the image of {dockerfile} can't be built: {clean_line(said)[:500]}"
        raise UsageError(what, hint="mend the Dockerfile; engines build it without BuildKit's additions") from None


def _follow(said: Iterable[Mapping[str, object]], dockerfile: str, tell: Callable[[SetupRan], None]) -> None:
    words: deque[str] = deque(maxlen=LAST_LINES)
    step, since = "", time.monotonic()
    for part in said:
        text = clean_text(str(part.get("stream") or part.get("error") or "")[:4000]).strip()
        if not text:
            continue
        words.append(text)
        if (text.startswith("Step ") and " : LABEL ay." not in text) or "error" in part:
            if step:
                tell(SetupRan(command=step, exit_code=int("error" in part), seconds=time.monotonic() - since))
            step, since = clean_line(text.split("\n")[0])[:200], time.monotonic()
        if "error" in part:
            last = "\n".join(words)[-4000:]
            hint = "what a RUN step fetches has to be allowed under `network.setup` in the configuration"
            raise UsageError(f"the image of {dockerfile} can't be built:\n{last}", hint=hint)
    if step:
        tell(SetupRan(command=step, exit_code=0, seconds=time.monotonic() - since))


def _join(context: str, source: str) -> str:
    return "/".join(part for part in (context, source) if part not in {"", "."})
