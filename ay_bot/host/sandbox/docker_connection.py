"""How an engine is reached: over a unix socket, TCP, TLS or ssh, by a client that believes nothing but its address."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.sandbox.engine import START_ENGINE, find_engine, knock
from ay_bot.host.sandbox.engine_ssh import open_tunnel

if TYPE_CHECKING:
    from docker import APIClient

TIMEOUT: Final = 60
LEAST: Final = "1.41"
"""The API of engine 20.10, and of Podman."""
MOST: Final = "1.45"
"""The newest API that the SDK knows."""
KINDS: Final = ("unix://", "tcp://", "ssh://", "http://", "https://")


def open_client(environment: Mapping[str, str]) -> "APIClient":
    """Return a client of the engine that answers, or raise SandboxUnavailable."""
    address = find_engine(environment)
    if address is None:
        msg = "no Docker engine: there is no socket where one would listen, and DOCKER_HOST is not set"
        raise SandboxUnavailable(msg, hint=START_ENGINE)
    if not address.startswith(KINDS):
        msg = f"DOCKER_HOST is {address}, which is no address of an engine"
        raise UsageError(msg, hint=f"it begins with one of {', '.join(KINDS)}")
    knock(address)
    if not address.startswith("ssh://"):
        return _open(address, address, _tls(address, environment))
    tunnel = open_tunnel(address, environment)
    return _open(address, f"unix://{tunnel.socket}", {}, tunnel.close)


def _tls(address: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the certificates; where there are any, the engine's own is verified, whatever DOCKER_TLS_VERIFY says."""
    directory = environment.get("DOCKER_CERT_PATH", "")
    wanted = bool(directory or environment.get("DOCKER_TLS_VERIFY"))
    if address.startswith("unix://") or not wanted:
        return {}
    from docker.errors import TLSParameterError
    from docker.tls import TLSConfig

    place = Path(directory or Path(environment.get("HOME", "/"), ".docker"))
    own = (str(place / "cert.pem"), str(place / "key.pem"))
    try:
        return {"tls": TLSConfig(client_cert=own, ca_cert=str(place / "ca.pem"), verify=True)}
    except TLSParameterError as error:
        msg = f"the certificates for the engine at {address} can't be used: {error}"
        raise SandboxUnavailable(msg, hint=f"put ca.pem, cert.pem and key.pem into {place}") from error


def _open(address: str, url: str, tls: Mapping[str, Any], close: Callable[[], None] = lambda: None) -> "APIClient":
    from docker import APIClient
    from docker.errors import DockerException

    try:
        version = _ask_version(url, tls)
        client = APIClient(base_url=url, version=version, timeout=TIMEOUT, **tls)
    except (DockerException, OSError, SandboxUnavailable) as error:
        close()
        if isinstance(error, SandboxUnavailable):
            raise
        msg = f"no Docker engine answers at {address}: {error}"
        raise SandboxUnavailable(msg, hint=START_ENGINE) from error
    _believe_nothing_else(client)
    finalize(client, close)
    return client


def _ask_version(url: str, tls: Mapping[str, Any]) -> str:
    from docker import APIClient
    from docker.utils import version_lt

    client = APIClient(base_url=url, version=LEAST, timeout=TIMEOUT, **tls)
    _believe_nothing_else(client)
    try:
        said = client.version(api_version=False)
    finally:
        client.close()
    version = str(said.get("ApiVersion", "0"))
    if version_lt(MOST, version):  # answers keep the form that is known here, as long as the engine can give it
        least = str(said.get("MinAPIVersion") or MOST)
        version = least if version_lt(MOST, least) else MOST
    if version_lt(version, LEAST):
        msg = f"the engine ({said.get('Version', 'of no known version')}) speaks version {version} of the API"
        raise SandboxUnavailable(f"{msg}, and {LEAST} is needed", hint="use Docker 20.10 or newer")
    return version


def _believe_nothing_else(client: "APIClient") -> None:
    """Keep proxies, .netrc and REQUESTS_CA_BUNDLE away: the last would replace the engine's own authority."""
    client.trust_env = False
