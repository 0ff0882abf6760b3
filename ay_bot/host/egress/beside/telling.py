"""What the program beside a box tells the host: a line of JSON for each thing that happened."""

import json
import sys


def tell(kind: str, **said: object) -> None:
    """Tell the host of something."""
    line = json.dumps({"kind": kind, **said}, separators=(",", ":")) + "\n"
    sys.stdout.write(line)
    sys.stdout.flush()
