"""Set-up images: what installing needs happens once, in a box of its own, and every later box is made of the result."""

from collections.abc import Callable
from typing import Final

from ay_bot.protocol.conversation import Value

FORMAT: Final = 1
"""Part of every key: a change of how set-ups run, or of what is kept of them, makes all older images unused."""


class Ground(Value):
    """What boxes for one tree are made of.

    `environment` is added to that of their commands. `setup` is what still has to run in each box, without network.
    """

    image: str = ""
    environment: dict[str, str] = {}
    setup: str = ""


GroundOf = Callable[[str], Ground]
"""What boxes for a tree are made of; that of the head for all but those that need another set-up."""
