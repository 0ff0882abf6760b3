"""`ay-bot redact`: standard input without what must not leave, or what was found in it and where."""

import json
from collections.abc import Mapping
from typing import BinaryIO

from ay_bot.host.gateway_process import SECRET_ENDS
from ay_bot.host.redact.redactor import Redactor
from ay_bot.host.redact.stream import redact_stream


def run(source: BinaryIO, target: BinaryIO, environ: Mapping[str, str], *, as_json: bool = False) -> int:
    """Copy source to target, redacted, or write as JSON what is in it; return how much was found."""
    redactor = Redactor(secret_values(environ))
    rows: list[dict[str, object]] = []
    size, line = 0, 1
    for piece in redact_stream(source.read, redactor):
        rows += (
            {
                "line": line + piece.original.count(b"\n", 0, each.start),
                "start": size + each.start,
                "end": size + each.end,
                "kind": each.kind,
                "name": each.name,
            }
            for each in piece.found
        )
        size += len(piece.original)
        line += piece.original.count(b"\n")
        if not as_json:
            target.write(piece.redacted)
    if as_json:
        target.write(json.dumps({"bytes": size, "findings": rows}, indent=2).encode() + b"\n")
    return len(rows)


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the variables whose names say that they are secret; a path is none."""
    named = (value for name, value in environ.items() if name.upper().endswith(SECRET_ENDS))
    return tuple(dict.fromkeys(value for value in named if len(value) >= 6 and not value.startswith("/")))
