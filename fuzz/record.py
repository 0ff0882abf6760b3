"""Make the seeds anew: `python -m fuzz.record` runs the demo's job, and keeps what really went through the pipes."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from demo.run import HERE, make_repository, scripted_model

SEEDS = Path(__file__).parent / "seeds"
LONGEST = 12_000
PLACES = re.compile(rb"(?:/[\w.+-]+){2,}/(?=evenly|ay-bot-)")


def keep(kind: str, content: bytes) -> None:
    """Write one seed, unless it is long or there already, without this machine's directories."""
    directory = SEEDS / kind
    directory.mkdir(parents=True, exist_ok=True)
    content = PLACES.sub(b"/tmp/", content)
    for place in (str(HERE.parent), sys.base_prefix, str(Path.home())):
        content = content.replace(place.encode(), b"/opt/here")
    if len(content) > LONGEST or any(path.read_bytes() == content for path in directory.iterdir()):
        return
    (directory / f"recorded-{len(list(directory.iterdir())):02}").write_bytes(content)


def listen() -> None:
    """Keep every message that the host sends or receives from here on, with its body."""
    from ay_bot.protocol import channel

    read, send = channel.Channel.receive_streaming, channel.Channel.send
    told: dict[str, int] = {}

    def kind_of(message: object) -> str:
        kind = str(getattr(message, "kind", ""))
        from_gateway = {"gateway_ready", "model_progress"}
        to_box = {"seed", "work", "feedback", "check", "exit"}
        if kind == "configure":
            return "to_gateway"
        return "from_gateway" if kind in from_gateway else "to_box" if kind in to_box else "from_box"

    def keep_some(where: str, message: object, body: bytes) -> None:
        name = f"{where} {getattr(message, 'kind', '')} {getattr(getattr(message, 'event', None), 'type', '')}"
        told[name] = told.get(name, 0) + 1
        if told[name] <= 2:
            keep(where, channel.line_of(message) + body)  # type: ignore[arg-type]
            if getattr(message, "kind", "") == "checked":
                keep("junit", body)

    def received(self: object) -> object:
        message, body = read(self)  # type: ignore[arg-type]
        whole = body.read()
        keep_some(kind_of(message), message, whole)
        if message.kind == "model_request":
            keep_some("to_gateway", message, whole)
        rest = [whole]
        return message, channel.Body(lambda _: rest.pop() if rest else b"", len(whole))

    def sent(self: object, message: object, body: bytes = b"") -> None:
        if kind_of(message) != "to_gateway" and getattr(message, "kind", "") != "model_request":
            keep_some("to_box", message, bytes(body))
        if getattr(message, "kind", "") in {"model_reply", "model_failure"}:
            keep_some("from_gateway", message, b"")
        send(self, message, body)  # type: ignore[arg-type]

    channel.Channel.receive_streaming = received  # type: ignore[assignment,method-assign]
    channel.Channel.send = sent  # type: ignore[assignment,method-assign]


def main() -> None:
    """Run the demo's job in this process."""
    import os

    os.environ["OPENAI_API_KEY"] = "none-needed"
    with tempfile.TemporaryDirectory(prefix="ay-bot-seeds-") as directory, scripted_model() as model:
        out = Path(directory) / "out"
        repository = make_repository(Path(directory))
        listen()
        sys.argv = ["ay-bot", "run", "--repo", str(repository), "--issue", str(HERE / "issue.md"), *model]
        sys.argv += ["--sandbox", "bubblewrap", "--out", str(out)]
        from ay_bot.__main__ import main as run

        try:
            run()
        except SystemExit as end:
            sys.stdout.write(f"the run ended with {end.code}\n")
        lines = (out / "events.jsonl").read_bytes().splitlines(keepends=True)
        kinds = {json.loads(line)["event"]["type"]: line for line in lines}
        for line in kinds.values():
            keep("events", line)
        keep("diff", (out / "change.diff").read_bytes())
        keep("result", (out / "result.json").read_bytes())


if __name__ == "__main__":
    shutil.rmtree(SEEDS, ignore_errors=True)
    main()
