"""Manifests that hold both a package's description and how its tests run: whether a change touches the latter."""

import configparser
import json
from collections.abc import Callable

from ay_bot.host.bounded_toml import read_toml

_DESCRIPTION_IN_PYPROJECT = {"project", "build-system", "dependency-groups"}
_DESCRIPTION_IN_SETUP_CFG = ("metadata", "options")
_DESCRIPTION_IN_PACKAGE_JSON = {
    "name",
    "version",
    "description",
    "keywords",
    "homepage",
    "bugs",
    "license",
    "author",
    "contributors",
    "funding",
    "repository",
    "files",
    "main",
    "module",
    "browser",
    "types",
    "typings",
    "exports",
    "imports",
    "bin",
    "engines",
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "sideEffects",
}


def same_test_settings(path: str, before: bytes, after: bytes) -> bool:
    """Say whether two versions of a manifest surely run the tests alike; what can't be read may not."""
    read = _READERS.get(path.rpartition("/")[2])
    if read is None:
        return False
    try:
        return read(before.decode()) == read(after.decode())
    except (ValueError, configparser.Error, RecursionError):  # TOML, JSON and UTF-8 errors are ValueErrors
        return False


def _read_pyproject(text: str) -> object:
    return {name: value for name, value in read_toml(text).items() if name not in _DESCRIPTION_IN_PYPROJECT}


def _read_setup_cfg(text: str) -> object:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {name: parser.items(name) for name in parser.sections() if not name.startswith(_DESCRIPTION_IN_SETUP_CFG)}


def _read_package_json(text: str) -> object:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("not a table")  # noqa: TRY004 - bad data, not a bug
    return {name: value for name, value in content.items() if name not in _DESCRIPTION_IN_PACKAGE_JSON}


_READERS: dict[str, Callable[[str], object]] = {
    "pyproject.toml": _read_pyproject,
    "setup.cfg": _read_setup_cfg,
    "package.json": _read_package_json,
}
