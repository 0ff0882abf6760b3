"""Where a box's one way to the proxy is: a socket in a place that the proxy's side writes and the box only reads."""

from typing import Final

from ay_bot.protocol.box_config import FORWARD_PORT
from ay_bot.protocol.conversation import Value

PROXY_ADDRESS: Final = f"http://127.0.0.1:{FORWARD_PORT}"
JAVA_OPTIONS: Final = " ".join(
    f"-D{scheme}.proxy{name}={value}"
    for scheme in ("http", "https")
    for name, value in (("Host", "127.0.0.1"), ("Port", FORWARD_PORT))
)
JAVA_VARIABLES: Final = ("MAVEN_OPTS", "GRADLE_OPTS")
"""Of the programs that start a Java, which looks at no variable for proxies itself."""
PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


class Door(Value):
    """A Docker volume, or a directory of this machine, that holds the socket. It is shown read-only in the box."""

    volume: str = ""
    directory: str = ""


def proxy_environment() -> dict[str, str]:
    """Return what tells the commands of a box with a door to use it."""
    java = dict.fromkeys(JAVA_VARIABLES, JAVA_OPTIONS)
    return {**dict.fromkeys(PROXY_VARIABLES, PROXY_ADDRESS), **java, "no_proxy": "", "NO_PROXY": ""}
