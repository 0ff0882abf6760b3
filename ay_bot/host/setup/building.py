"""Images that are built from the repository's own Dockerfile, at the trusted commit and under the set-up's network."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.plain_text import clean_line, clean_text
from ay_bot.host.sandbox import MIB
from ay_bot.host.sandbox.docker_calls import asking_to
from ay_bot.host.setup.context import Plan
from ay_bot.host.setup.engine import BASE_LABEL, KEPT_REPOSITORY, KEY_LABEL, NOBODY, SOURCE_LABEL
from ay_bot.protocol.events import SetupRan

if TYPE_CHECKING:
    from ay_bot.host.sandbox.docker import DockerSandbox

MEMORY: Final = 6144 * MIB
LAST_LINES: Final = 40
PROXY_ARGUMENTS: Final = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY")


def build(  # noqa: PLR0913 - each is a fact of its own, and named
    sandbox: "DockerSandbox",
    plan: Plan,
    context: Path,
    *,
    dockerfile: str,
    key: str,
    repository: str,
    holder: str,
    environment: Mapping[str, str],
    seconds: float,
    tell: Callable[[SetupRan], None],
) -> str:
    """Build an image and return its name; its steps share the network of the box `holder`, which has none but a proxy.

    `dockerfile` is its name in the context, `tell` hears of every step. Raises UsageError with the last
    lines if the build fails.
    """
    name = f"{KEPT_REPOSITORY}:{key}"
    arguments = {**plan.args, **{name: environment[name] for name in PROXY_ARGUMENTS if name in environment}}
    with context.open("rb") as packed, _explained(plan.dockerfile), asking_to(f"build {plan.dockerfile}"):
        said = sandbox.client.build(
            fileobj=packed,
            custom_context=True,
            dockerfile=dockerfile,
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
