"""Every way in which a run can fail to be carried out, with its message and exit code.

AyBotError                       1  a bug in ay-bot, when nothing more exact is known
|-- UsageError                   2  the command line, the configuration or the repository can't be used as given
|-- CommandRefused               3  a rule on commands forbids what was to be run
|-- LeakSeen                     6  what must not leave a run was on its way to the network
|-- BudgetSpent                  4  a cap on money, tokens, steps or time was reached before the work was done
|-- TestsUnusable              7  the tests prove nothing: they don't end, even before the change
|-- SandboxUnavailable           8  no box could be made, or the box broke
|   `-- ImageUnavailable         8  the box image is not there
|-- ModelFailed                  9  the model could not be used: key, server, reply, limits
|-- GithubFailed                10  GitHub refused, can't be reached, or answered something that makes no sense
|   |-- AnswerLost              10  a write was sent and its answer got lost: it may have taken effect
|   |-- HeadMoved               10  a branch is not where it was
|   `-- NotAllowed              10  the token may not do this
|-- ProtocolBroken              11  the other side of a pipe said something that it may not say
`-- Interrupted                130  the user pressed Ctrl-C, or the process was told to end

Outcomes of work that was carried out are values, not exceptions: the agent gave no change (5), the change
was refused (6), the tests fail (7), denied (3). `ExitCode` is the whole table; docs/exit-codes.md explains it.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes of every `ay-bot` command; all other numbers are reserved."""

    HANDLED = 0
    BUG = 1
    USAGE = 2
    DENIED = 3
    BUDGET_SPENT = 4
    NO_CHANGE = 5
    CHANGE_REFUSED = 6
    TESTS_FAILED = 7
    SANDBOX_UNAVAILABLE = 8
    MODEL_FAILED = 9
    GITHUB_FAILED = 10
    PROTOCOL_BROKEN = 11
    INTERRUPTED = 130


class AyBotError(Exception):
    """The root: `message` says what happened and why, `hint` says what to do about it."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n\nhint: {self.hint}" if self.hint else self.message


class UsageError(AyBotError):
    """The command line, the configuration or the repository can't be used as given."""

    exit_code = ExitCode.USAGE


class CommandRefused(AyBotError):
    """A rule of the policy forbids the command that was to be run."""

    exit_code = ExitCode.DENIED


class LeakSeen(AyBotError):
    """A canary or a secret of the run was on its way to the network; the run ends at once, and publishes nothing."""

    exit_code = ExitCode.CHANGE_REFUSED


class BudgetSpent(AyBotError):
    """A cap on money, tokens, steps or time was reached before the work was done."""

    exit_code = ExitCode.BUDGET_SPENT


class TestsUnusable(AyBotError):
    """The tests prove nothing about any change: they don't end, even on the base commit."""

    exit_code = ExitCode.TESTS_FAILED


class SandboxUnavailable(AyBotError):
    """No box could be made here, or a box broke in a way that ends the run."""

    exit_code = ExitCode.SANDBOX_UNAVAILABLE


class ImageUnavailable(SandboxUnavailable):
    """The image that the box should be made of is not on this engine."""


class ModelFailed(AyBotError):
    """The model could not be used: no key, no server, a reply that makes no sense, a limit of the provider."""

    exit_code = ExitCode.MODEL_FAILED


class GithubFailed(AyBotError):
    """GitHub refused, can't be reached, or answered something that makes no sense."""

    exit_code = ExitCode.GITHUB_FAILED


class AnswerLost(GithubFailed):
    """A write was sent and its answer got lost: it may have taken effect, and only looking tells."""


class HeadMoved(GithubFailed):
    """A branch is not where it was when the work on it began."""


class NotAllowed(GithubFailed):
    """The token may not do this."""


class ProtocolBroken(AyBotError):
    """The other side of a pipe said something that the protocol does not allow, or fell silent."""

    exit_code = ExitCode.PROTOCOL_BROKEN


class Interrupted(AyBotError):
    """The user pressed Ctrl-C, or the process was told to end."""

    exit_code = ExitCode.INTERRUPTED
