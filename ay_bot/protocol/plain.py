"""Values that a box reads and writes without pydantic: dataclasses, which the host's pydantic validates all the same.

The box believes the host, and a box that only runs tests is three times as small without pydantic. The host believes
no box: there the same classes are members of its unions, closed and checked by pydantic.
"""

import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Generic, Literal, TypeVar, get_args, get_origin


@dataclass(frozen=True, kw_only=True)
class Plain:
    """The base: frozen, and closed against unknown fields on either side. Fields are of the few types of `_taken`."""

    __pydantic_config__ = {"extra": "forbid", "allow_inf_nan": False}


_SHAPES: dict[type[Plain], tuple[dict[str, object], frozenset[str]]] = {}
Read = TypeVar("Read", bound=Plain)
LARGEST = 1.7976931348623157e308


class PlainReader(Generic[Read]):
    """Reads one message of several, each of which has a `kind` of its own."""

    def __init__(self, types: Sequence[type[Read]]) -> None:
        self._types = {_default(one, "kind"): one for one in types}

    def validate_json(self, line: bytes, /) -> Read:
        """Return the message. Raises ValueError."""
        value = json.loads(line)
        said = value.get("kind") if isinstance(value, dict) else None
        wanted = self._types.get(said) if isinstance(said, str) else None
        if wanted is None:
            msg = f"it is none of {', '.join(map(str, self._types))}"
            raise ValueError(msg)
        return _made(wanted, value)


def read_plain(wanted: type[Read], text: str) -> Read:
    """Return the one value that a text of JSON holds. Raises ValueError."""
    return _made(wanted, json.loads(text))


def write_plain(value: Plain) -> str:
    """Return a value as one line of JSON."""
    return _ENCODER.encode(value.__dict__)


def _fields_of(value: object) -> object:
    if isinstance(value, Plain):
        return value.__dict__
    msg = f"no Plain value: {type(value).__name__}"
    raise TypeError(msg)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_fields_of)


def _default(wanted: type[Plain], name: str) -> object:
    return next(field.default for field in fields(wanted) if field.name == name)


def _made(wanted: type[Read], value: object) -> Read:
    if not isinstance(value, dict):
        msg = f"{wanted.__name__} is an object, not {value!r:.80}"
        raise ValueError(msg)  # noqa: TRY004 - what was read is wrong, not the call
    known, needed = _shape_of(wanted)
    if wrong := (value.keys() - known.keys()) | (needed - value.keys()):
        msg = f"{wanted.__name__} has fields too many or too few: {', '.join(sorted(wrong))}"
        raise ValueError(msg)
    return wanted(**{name: _taken(known[name], item, name) for name, item in value.items()})


def _shape_of(wanted: type[Plain]) -> tuple[dict[str, object], frozenset[str]]:
    """Return the type of each field, and the names of those that have to be there."""
    if wanted not in _SHAPES:
        all_fields = fields(wanted)
        needed = (field.name for field in all_fields if field.default is field.default_factory is MISSING)
        _SHAPES[wanted] = {field.name: field.type for field in all_fields}, frozenset(needed)
    return _SHAPES[wanted]


def _taken(wanted: object, value: object, name: str) -> object:
    if wanted is float and isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        msg = f"{name} is no number that JSON could say again"
        raise ValueError(msg)
    if type(value) is wanted:
        return value
    origin, arguments = get_origin(wanted), get_args(wanted)
    if is_dataclass(wanted) and isinstance(wanted, type) and issubclass(wanted, Plain):
        return _made(wanted, value)
    if wanted is float and type(value) is int:
        return float(value)
    if origin is tuple and isinstance(value, list):
        return tuple(_taken(arguments[0], item, name) for item in value)
    if origin is dict and isinstance(value, dict):
        return {_taken(arguments[0], key, name): _taken(arguments[1], item, name) for key, item in value.items()}
    if origin is Literal and value in arguments:
        return value
    msg = f"{name} can't be {value!r:.80}"
    raise ValueError(msg)
