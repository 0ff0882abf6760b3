"""The user's own toolchain in a bubblewrap box: which directories are shown there, read-only, and in which order."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ay_bot.host.sandbox.editable import workspace_paths

STANDARD = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
BOX_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
PROGRAMS = ("python3", "python", "node", "go", "cargo")
TAKEN = ("/work", "/tmp", "/opt/ay", "/proc", "/dev")  # noqa: S108 - places of the box's own
ELSEWHERE = Path("/opt/host")
TOO_BROAD = frozenset(
    map(Path, ("/", "/boot", "/dev", "/etc", "/home", "/mnt", "/opt", "/proc", "/root", "/run", "/srv", "/sys", "/var"))
) | {Path("/tmp")}  # noqa: S108
PRIVATE = (".ssh", ".aws", ".azure", ".config", ".docker", ".gnupg", ".kube", ".local/share/keyrings", ".netrc")


@dataclass(frozen=True)
class Toolchain:
    """What a box shows of the host: pairs of a directory and its place in the box, the PATH, and variables."""

    binds: tuple[tuple[Path, Path], ...]
    path: tuple[str, ...]
    variables: dict[str, str]


class Finder:
    """Finds a user's toolchain from PATH and VIRTUAL_ENV; never a directory that holds more than a toolchain."""

    def __init__(self, environment: Mapping[str, str], repository: Path | None = None) -> None:
        self._environment = environment
        home = environment.get("HOME")
        self._home = Path(home) if home else None
        self._repository = repository
        self._secret = [path.resolve() for path in (self._home, repository) if path]
        if self._home:
            self._secret += [(self._home / name).resolve() for name in PRIVATE]
        self._binds: dict[Path, Path] = {}
        self._variables: dict[str, str] = {}

    def find(self) -> Toolchain:
        """Return all of it. The first Python environment that has pytest comes first on the PATH."""
        active = self._environment.get("VIRTUAL_ENV")
        own = [Path(active)] if active else []
        shown = {prefix: self._show(prefix) for prefix in (*own, *self._prefixes_on_path())}
        directories = [place / "bin" for place in shown.values() if place]
        directories += [*self._cargo(), *self._standard_extras(), *map(Path, BOX_PATH)]
        ours = Path(sys.prefix)
        shown |= {Path("/usr"): Path("/usr"), ours: self._show(ours)}
        directories += [place / "bin" for place in (shown[ours],) if place]
        testing = [place / "bin" for prefix, place in shown.items() if place and has_pytest(prefix)]
        path = dict.fromkeys(map(str, (*testing[:1], *directories)))
        self._point_to_workspace(*shown)
        return Toolchain(tuple(self._binds.items()), tuple(path), self._variables)

    def _point_to_workspace(self, *prefixes: Path) -> None:
        """Make editable installs of the repository work, whose own path is not shown."""
        if self._repository:
            found = [path for prefix in prefixes for path in workspace_paths(prefix, self._repository)]
            if found:
                self._variables["PYTHONPATH"] = ":".join(dict.fromkeys(map(str, found)))

    def _prefixes_on_path(self) -> Iterator[Path]:
        """Yield the prefixes of the toolchains on the PATH, outside of what every box shows."""
        for directory in self._path_directories():
            for program in PROGRAMS:
                if (directory / program).is_file():
                    prefix = _prefix_of(directory / program)
                    if prefix and not prefix.is_relative_to("/usr"):
                        yield prefix

    def _path_directories(self) -> Iterator[Path]:
        for entry in self._environment.get("PATH", "").split(":"):
            if entry.startswith("/") and entry not in STANDARD and Path(entry).name != "shims":
                yield Path(entry)

    def _standard_extras(self) -> list[Path]:
        """Directories below /usr that are on the user's PATH, as /usr/local/go/bin is."""
        return [directory for directory in self._path_directories() if directory.is_relative_to("/usr")]

    def _cargo(self) -> list[Path]:
        """Show rustup's programs and toolchains; the rest of Cargo's home holds the registry's credentials."""
        if not self._home or not (self._home / ".cargo/bin/cargo").is_file():
            return []
        programs, toolchains = self._home / ".cargo/bin", self._home / ".rustup"
        if not self._show(programs) or not toolchains.is_dir() or not self._show(toolchains):
            return []
        self._variables |= {"RUSTUP_HOME": str(toolchains), "CARGO_HOME": "/tmp/.cargo"}  # noqa: S108
        return [programs]

    def _show(self, prefix: Path) -> Path | None:
        """Note that the box shows `prefix`, and return its place there; None if it may not be shown."""
        if prefix.is_relative_to("/usr"):
            return prefix
        if not prefix.is_dir() or not self._is_safe(prefix):
            return None
        if base := base_of(prefix):
            self._show(base)
        place = self._place(prefix)
        self._binds[prefix] = place
        return place

    def _is_safe(self, prefix: Path) -> bool:
        real = prefix.resolve()
        return real not in TOO_BROAD and not any(secret.is_relative_to(real) for secret in self._secret)

    def _place(self, prefix: Path) -> Path:
        if any(prefix.is_relative_to(taken) for taken in TAKEN):
            return ELSEWHERE / prefix.relative_to("/")
        return prefix


def has_pytest(prefix: Path) -> bool:
    """Say whether a Python environment has pytest."""
    places = ("lib/python*/site-packages/pytest", "lib/python3/dist-packages/pytest")
    return any(next(prefix.glob(place), None) for place in places)


def base_of(environment: Path) -> Path | None:
    """Return the installation that a virtual environment was made from, if it is one."""
    try:
        lines = (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    settings = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
    home = settings.get("home")
    return Path(home).parent if home and home.startswith("/") else None


def _prefix_of(program: Path) -> Path | None:
    """Return the prefix of a toolchain: of a virtual environment itself, else of the real program."""
    if base_of(program.parent.parent):
        return program.parent.parent
    real = program.resolve()
    if real.name == "rustup" or real.parent.name != "bin":
        return None
    return real.parent.parent
