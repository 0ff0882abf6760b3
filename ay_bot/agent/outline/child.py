"""The outline of a workspace, worked out by a process that ends: the agent's own memory stays small.

It reads one line of JSON, `{"root", "cache", "query", "top", "tokens", "vocabularies"}`, and writes one:
`{"files": [{"path", "score", "pinned"}], "map"}`. Without `top` there are no files, without `tokens` there is no map.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ay_bot.errors import AyBotError

_PROGRAM: Final = "import sys; sys.path[:] = {path!r}; from ay_bot.agent.outline.child import main; main()"
_LONGEST_ANSWER: Final = 16 * 1024 * 1024


def ask(request: Mapping[str, object], timeout: float) -> Mapping[str, object]:
    """Have a process of its own answer a request. Raises AyBotError if it can't."""
    code = _PROGRAM.format(path=sys.path)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=timeout,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            check=True,
        )
        answer = json.loads(done.stdout[:_LONGEST_ANSWER])
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise AyBotError(f"the outline of the workspace can't be had: {type(error).__name__}") from None
    if not isinstance(answer, dict):
        raise AyBotError("the outline of the workspace can't be had: it is no JSON object")
    return answer


def main() -> None:
    """Answer the request on stdin."""
    sys.stdout.write(json.dumps(answer(json.loads(sys.stdin.buffer.read()))))


def answer(request: Mapping[str, object]) -> dict[str, object]:
    """Return what a request asks for."""
    from ay_bot.agent.outline.counting import estimate, load_counter
    from ay_bot.agent.outline.outlining import open_outline
    from ay_bot.agent.outline.workspace_source import WorkspaceSource

    query, top, tokens = str(request.get("query", "")), request.get("top"), request.get("tokens")
    source = WorkspaceSource(Path(str(request["root"])))
    told: dict[str, object] = {}
    with open_outline(Path(str(request["cache"]))) as outline:
        if isinstance(top, int):
            ranked = outline.rank(source, query, top)
            told["files"] = [{"path": f.path, "score": round(f.score, 6), "pinned": f.pinned} for f in ranked]
        if isinstance(tokens, int):
            place = request.get("vocabularies")
            count = load_counter(Path(place)) if isinstance(place, str) else estimate
            told["map"] = outline.map(source, query, tokens, count)
    return told
