"""Where a box's one way to the proxy is: a socket in a place that the proxy's side writes and the box only reads."""

from typing import Final

from ay_bot.protocol.box_config import FORWARD_PORT
from ay_bot.protocol.conversation import Value

PROXY_ADDRESS: Final = f"http://127.0.0.1:{FORWARD_PORT}"
PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


class Door(Value):
    """A Docker volume, or a directory of this machine, that holds the socket. It is shown read-only in the box."""

    volume: str = ""
    directory: str = ""


def proxy_environment() -> dict[str, str]:
    """Return what tells the commands of a box with a door to use it."""
    return {**dict.fromkeys(PROXY_VARIABLES, PROXY_ADDRESS), "no_proxy": "", "NO_PROXY": ""}
