"""Files that Python runs by itself at every start: a look at an interpreter for those that nobody expects there.

Two malicious releases of litellm brought such a file, and it read the environment of every Python before the program
began. Whoever holds keys looks before it uses them; by then such a file has run, and all that is left is to refuse and
to say so. Only what Python has loaded anyway is imported: this is the first thing that a run does.
"""

import os
import site
import sys
from collections.abc import Iterable, Iterator, Mapping

from ay_bot.errors import UsageError

CUSTOM = ("sitecustomize", "usercustomize")
ENDS = (".pth", ".start")  # Python 3.15 calls its own successor of .pth files that
SITES = ("site-packages", "dist-packages")
ALLOWANCE = "AY_BOT_START_FILES"
"""The variable that names, by SHA-256, what else may be there."""

KNOWN = frozenset(
    {
        # setuptools
        (
            b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
            b"enabled and __import__('_distutils_hack').add_shim();"
        ),
        (
            b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'stdlib') == 'local'; "
            b"enabled and __import__('_distutils_hack').add_shim();"
        ),
        # virtualenv, and uv after it
        b"import _virtualenv",
        # coverage, which measures child processes with it
        (
            b'import sys; exec(\'import os\\n\\nif os.getenv("COVERAGE_PROCESS_START") or '
            b'os.getenv("COVERAGE_PROCESS_CONFIG"):\\n try:\\n  import coverage\\n except:\\n  pass\\n else:\\n  '
            b'coverage.process_startup(slug="pth")\')'
        ),
        # Debian and Ubuntu: sitecustomize.py
        (
            b"# install the apport exception handler if available\ntry:\n    import apport_python_hook\n"
            b"except ImportError:\n    pass\nelse:\n    apport_python_hook.install()"
        ),
    }
)
"""Their whole contents, but for white space at the ends. Each was read, and runs nothing of its own that matters."""
LONGEST = 64 * 1024


def start_files(directory: str) -> Iterator[str]:
    """Yield the path of whatever Python would run by itself if `directory` were on its path."""
    try:
        with os.scandir(directory) as listing:
            names = sorted(entry.name for entry in listing)
    except OSError:
        return
    is_site = os.path.basename(directory.rstrip("/")) in SITES  # noqa: PTH119 - pathlib isn't loaded yet
    for name in names:
        if name.partition(".")[0] in CUSTOM or (is_site and name.endswith(ENDS)):
            yield f"{directory}/{name}"


def unexpected(directories: Iterable[str], allowed: Iterable[str] = ()) -> list[str]:
    """Return the start files of these directories that nobody knows, in order; `allowed` holds digests."""
    found = dict.fromkeys(path for directory in directories for path in start_files(directory))
    digests = frozenset(allowed)
    return [path for path in found if not _is_known(path, digests)]


def searched_directories() -> list[str]:
    """Return where this interpreter looked for such files when it started."""
    # What Python put in front afterwards, the program's own directory or the current one, has no part in a start.
    added = 0 if sys.flags.safe_path else 1
    places = [*sys.path[added:], *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        places.append(site.getusersitepackages())
    return list(dict.fromkeys(place for place in places if place))


def require_expected(environment: Mapping[str, str]) -> None:
    """Raise UsageError if something unexpected ran at the start of this interpreter; without `site` nothing does."""
    if sys.flags.no_site:
        return
    allowed = environment.get(ALLOWANCE, "").split(",")
    strangers = unexpected(searched_directories(), allowed)
    strangers += [path for path in _loaded() if path not in strangers and not _is_known(path, frozenset(allowed))]
    if not strangers:
        return
    listed = ", ".join(f"`{path}`" for path in strangers)
    raise UsageError(
        f"Python runs {listed} by itself whenever it starts, and ay-bot doesn't know what that does. It ran before "
        "ay-bot could look, with every key that is in this environment; no key was used and nothing else was started",
        hint="find out which package brought it. If you don't know it, remove it and replace the keys that this "
        f"environment holds. If you trust it: {ALLOWANCE}={','.join(_digest(path) for path in strangers)}",
    )


def _loaded() -> Iterator[str]:
    for name in CUSTOM:
        if name in sys.modules:
            yield getattr(sys.modules[name], "__file__", None) or name


def _is_known(path: str, digests: frozenset[str]) -> bool:
    content = _read(path)
    if content is None:
        return False
    if content.strip() in KNOWN or (path.endswith(".pth") and _names_directories_only(content)):
        return True
    return bool(digests - {""}) and _digest(path) in digests


def _names_directories_only(content: bytes) -> bool:
    """Whether a .pth file only adds directories to the path, as an editable install does: nothing of it is run."""
    return b"import " not in content and b"import\t" not in content


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib isn't loaded yet
            content = file.read(LONGEST + 1)
    except OSError:
        return None
    return content if len(content) <= LONGEST else None


def _digest(path: str) -> str:
    from hashlib import sha256

    content = _read(path)
    return sha256(content).hexdigest() if content is not None else "none"
