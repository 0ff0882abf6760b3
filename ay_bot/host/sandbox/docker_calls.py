"""What becomes of a call to a Docker engine that fails: an error that says what was asked, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from ay_bot.errors import SandboxUnavailable


@contextmanager
def asking_to(what: str) -> Iterator[None]:
    """Raise SandboxUnavailable if the engine fails at what the with block asks of it."""
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as error:
        msg = f"the Docker engine could not {what}: {error}"
        raise SandboxUnavailable(msg, hint="the engine's log says more") from error


@contextmanager
def if_possible() -> Iterator[None]:
    """Leave the with block where the engine fails: the thing is gone, going, or found by the next reap."""
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError):
        return
