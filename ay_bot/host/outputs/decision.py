"""What is decided about one output: it may be carried out as it stands here, or which rule denies it and why."""

from enum import StrEnum

from ay_bot.host.plain_text import clean_line
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.outputs import Output


class Code(StrEnum):
    """The stage that denied an output, in the order of the stages."""

    SCHEMA = "E001"
    LIMITS = "E002"
    SANITISE = "E003"
    DOMAINS = "E004"
    CROSS_REPOSITORY = "E005"
    RESOLVE = "E006"
    API = "E007"


class Allowed(Value):
    """Output number `index` of the batch may be carried out, as it stands here: cleaned and with the run's link."""

    index: int
    output: Output


class Denied(Value):
    """Nothing of an output is sent. `index` is None where the whole batch is denied, `output` where it has no form.

    `what` names the input and is fit to be shown to people; `how_to_allow` is the smallest change that would let it
    pass.
    """

    index: int | None
    output: Output | None = None
    code: Code
    rule: str
    what: str
    how_to_allow: str

    def __str__(self) -> str:
        """Return one line for people, in Markdown."""
        which = "all outputs" if self.index is None else f"output {self.index + 1}"
        kind = f" ({self.output.type})" if self.output else ""
        return f"{self.code} {self.rule}: {which}{kind} not sent: {self.what}. To allow it: {self.how_to_allow}."


Decision = Allowed | Denied


def shown(text: str) -> str:
    """Return hostile text as a short piece of code that it can't leave."""
    line = clean_line(" ".join(text.split())).replace("|", "/").replace("`", "'").replace("<!--", "< !--")
    return f"`{line[:100] or ' '}`"
