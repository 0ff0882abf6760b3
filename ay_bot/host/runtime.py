"""The agent's runtime as the host starts it: the command line, and the packages that it is made of."""

import importlib.util
import py_compile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ay_bot.host.image import CARRIED, PACKAGE, carried_files
from ay_bot.host.sandbox import BoxSpec
from ay_bot.protocol.box_config import BoxConfig, ResourceLimits
from ay_bot.protocol.plain import write_plain

PREFIX = "/opt/ay"
PACKAGES = f"{PREFIX}/packages"
DEPENDENCIES = (
    "annotated_types",
    "pathspec",
    "pydantic",
    "pydantic_core",
    "tree_sitter",
    "tree_sitter_bash",
    "tree_sitter_c",
    "tree_sitter_c_sharp",
    "tree_sitter_cpp",
    "tree_sitter_go",
    "tree_sitter_java",
    "tree_sitter_javascript",
    "tree_sitter_kotlin",
    "tree_sitter_php",
    "tree_sitter_ruby",
    "tree_sitter_rust",
    "tree_sitter_scala",
    "tree_sitter_typescript",
    "typing_extensions",
    "typing_inspection",
)
# Nothing of the workspace, the environment or the image's own packages is on the path of this interpreter.
# Collecting garbage while modules load finds none and takes a tenth of the start; main() turns it on again.
START = (
    "import gc, sys; gc.disable(); sys.path += sys.argv[2].split(':'); from ay_bot.agent.__main__ import main; main()"
)

COMMAND_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the box's own
    "TMPDIR": "/tmp",  # noqa: S108
    "USER": "ay",
    "LOGNAME": "ay",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    # No byte code: it is stale after an edit of the same size within the same second, and it is no part of a change.
    "PYTHONDONTWRITEBYTECODE": "1",
}


def box_config(spec: BoxSpec, environment: dict[str, str], limits: ResourceLimits | None = None) -> BoxConfig:
    """Return what the program in a box is told; `environment` goes over what every box has."""
    return BoxConfig(
        deadline=spec.limits.wall,
        only_for_checks=spec.only_for_checks,
        installs=spec.installs,
        forward=spec.door is not None,
        environment={**COMMAND_ENVIRONMENT, **environment, **spec.environment},
        limits=limits or ResourceLimits(),
    )


def program(config: BoxConfig, packages: str = PACKAGES) -> list[str]:
    """Return the arguments of the interpreter that runs the program in the box."""
    return ["-I", "-S", "-B", "-c", START, write_plain(config), packages]


def installed_packages() -> Iterator[tuple[Path, str]]:
    """Yield each file or directory that the runtime needs, and its place below the packages of a box."""
    for source, place in _packages():
        yield source, place
        if source.suffix == ".py":  # alone, without the directory that has its byte code
            compiled = Path(importlib.util.cache_from_source(str(source)))
            if compiled.is_file():
                yield compiled, f"{Path(place).parent / '__pycache__' / compiled.name}"


def _packages() -> Iterator[tuple[Path, str]]:
    for name in DEPENDENCIES:
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            yield source, source.name
    for name in CARRIED:
        yield PACKAGE / name, f"{PACKAGE.name}/{name}"


@cache
def compile_sources() -> None:
    """Compile a box's sources beside themselves, if need be: the host imports few of them, and a box can't write."""
    for source in (path for path in carried_files() if path.suffix == ".py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        try:
            if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
                py_compile.compile(str(source), quiet=2)
        except OSError:
            return  # installed where this user can't write: the box compiles them at each start
