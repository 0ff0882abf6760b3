"""What stood in a command's way, told from what it wrote: the wall says nothing by itself, so this says what it is."""

import re
from collections.abc import Iterator
from typing import Final

RIGHTS: Final = (
    "rights: commands run as a user without any, without capabilities, and a filter refuses the system calls that "
    "lead out of a box; no setting gives them more"
)
FILES: Final = "files: only the workspace and /tmp can be written, and nothing of this machine's owner is there at all"
NETWORK: Final = (
    "network: the box has none but its own loopback. What it may ask for goes through a proxy: `--network pip` or "
    "another preset or host, or `network:` in the settings"
)
NOT_THROUGH: Final = (
    "network: the box has none but its own loopback; only what uses the proxy (http_proxy, https_proxy) gets out, and "
    "only to the hosts that `--network` names"
)
AMOUNT: Final = "amount: the box has used all of something that is capped: memory, processes, disk, files or their size"
SYMPTOMS: Final = {
    "network": (
        "name resolution", "could not resolve", "name or service not known", "network is (?:unreachable|down)",
        "eai_again", "enetunreach", "getaddrinfo", "no route to host", "couldn't connect", "connection refused",
        "bad address", "network unreachable",
    ),
    "files": ("read-only file system", "erofs", "'?/(?:root|home|var/run|run)/?[^\\n]*no such file"),
    "rights": (
        "permission denied", "operation not permitted", "eperm", "eacces", "must be (?:superuser|root)",
        "not permitted", "no new privileges", "function not implemented", "bad system call",
        "address family not supported",
    ),
    "amount": (
        "no space left", "disk quota", "cannot allocate memory", "resource temporarily unavailable", "memoryerror",
        "cannot fork", "file size limit", "file too large", "too many open files", "\\bkilled\\b",
    ),
}  # fmt: skip
_FOUND = {kind: re.compile("|".join(patterns), re.IGNORECASE) for kind, patterns in SYMPTOMS.items()}


def explain_symptoms(output: str, exit_code: int, *, has_proxy: bool) -> tuple[str, ...]:
    """Return what the policy says to what a command complained of, a line each."""
    kinds = dict.fromkeys(_find(output, exit_code))
    words = {"network": NOT_THROUGH if has_proxy else NETWORK, "files": FILES, "rights": RIGHTS, "amount": AMOUNT}
    return tuple(words[kind] for kind in kinds)


def _find(output: str, exit_code: int) -> Iterator[str]:
    for kind, pattern in _FOUND.items():
        if pattern.search(output):
            yield kind
    if exit_code in {137, 153}:  # SIGKILL, SIGXFSZ
        yield "amount"
