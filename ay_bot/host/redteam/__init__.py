"""What an attack on a box is, how its effect is seen, and what is said of it in the end."""

from enum import Enum
from typing import Final, Literal

from ay_bot.host.sandbox import DriverName
from ay_bot.host.sandbox.guarantees import Guarantee
from ay_bot.protocol.conversation import Value

CANARY_NAME: Final = "AY_CANARY_API_KEY"
"""A variable that stands for a key of the caller's."""


class Off(Enum):
    """A protection that the control experiment switches off, to show that the attack would work without it."""

    NETWORK = "no network"  # the box shares the host's network
    BRIDGE = "no network of the engine's"  # the box is on one that the battery made
    FILTER = "system call filter"
    RIGHTS = "no rights"  # root with all capabilities and without the filter; its own network
    READ_ONLY = "read-only root"
    FILES = "no files of the host"  # the planted directory is mounted
    ENVIRONMENT = "composed environment"  # the canary is handed in
    DUMPABLE = "process 1 is closed"
    FIRST = "the agent is process 1"
    PIPE = "the pipe is not inherited"
    LIMITS = "limits"  # all of them are raised
    LEFTOVERS = "left-overs are ended"
    REPORT = "reports are plain and small"
    OUTPUT = "output is bounded and readable"
    DEVICES = "no devices"
    SETUID = "no new privileges"
    PROXY = "rules of the proxy"


Seen = Literal["said", "arrived", "leaked", "touched", "survived", "forged", "died", "escapes", "flooded", "reported",
               "strayed", "asked"]  # fmt: skip
"""How the effect is seen.

said       the attack's process shows what it got: a descriptor, bytes, a count over the limit
arrived    a token came to a listener of the battery's
leaked     a canary is in the output, raw or in another coding
touched    a planted file changed
survived   a process runs on after its command
forged     the host received a message that the box's program did not send
died       the box ended
escapes    an escape sequence is in the output as the host got it
flooded    more output came than the limit
strayed    a token came to a private address or another port, through the proxy
asked      a token came to a name server, through the proxy
reported   the report that came back is one that must not be taken
"""

Verdict = Literal["held", "broken", "announced", "untested"]
"""`announced` is an effect that this wall can't prevent here and says so before anything runs; it is not held."""


class Attack(Value):
    """One attack: a Python program that runs in the box, and how its effect is seen.

    `alone` attacks get a box of their own. `drivers` is where the attack means anything. `guarantee` is what has to
    hold against it, where not every wall gives it.
    """

    id: str
    category: str
    about: str
    program: str
    off: tuple[Off, ...]
    seen: Seen = "said"
    alone: bool = False
    timeout: float = 20.0
    cpus: float = 0  # processors of its own box, where it is alone; 0 for the battery's own
    drivers: tuple[DriverName, ...] = ("docker", "bubblewrap")
    guarantee: Guarantee | None = None
    door: bool = False  # its box has a way to a proxy


class Line(Value):
    """The verdict on one attack. `detail` is what was seen, or why nothing could be shown."""

    id: str
    driver: DriverName
    category: str
    verdict: Verdict
    detail: str
    about: str = ""

    def text(self) -> str:
        """Return it for machines."""
        return f"AYTEST|{self.id}|{self.driver}|{self.verdict}|{self.detail.replace('|', '/')}"


class Scorecard(Value):
    """All verdicts on one driver."""

    driver: DriverName
    image: str
    seconds: float
    lines: tuple[Line, ...]
    notices: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """Return how many attacks ended so."""
        return sum(line.verdict == verdict for line in self.lines)

    @property
    def holds(self) -> bool:
        """Whether every attack was shown to work without its protection, and was without effect with it."""
        return bool(self.lines) and all(line.verdict == "held" for line in self.lines)
