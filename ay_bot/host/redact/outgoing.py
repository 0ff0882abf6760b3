"""The last door before GitHub: nothing that is sent holds a secret of the run, whoever wrote it."""

from dataclasses import dataclass
from typing import Final

from ay_bot.host.github.api_request import Asked, Reply, Send
from ay_bot.host.redact.redactor import Redactor, rebuilt, texts_of

_FILES: Final = frozenset({"content", "contents"})


@dataclass(frozen=True)
class _File:
    """What is in a file: it was judged with its change, and an altered one is not what was proven."""

    content: bytes


def redacting(send: Send, redactor: Redactor) -> Send:
    """Return a way to send that takes what the redactor finds out of everything that is written, but for files."""

    def send_redacted(asked: Asked) -> Reply:
        words = _put_aside(asked.body)
        texts = tuple(texts_of(words))
        redacted = redactor.redact_all(texts)
        if redacted == texts:
            return send(asked)
        return send(asked._replace(body=_put_back(rebuilt(words, iter(redacted)))))

    return send_redacted


def _put_aside(body: object) -> object:
    if isinstance(body, dict):
        return {
            name: _File(value.encode("utf-8", "surrogatepass"))
            if name in _FILES and isinstance(value, str)
            else _put_aside(value)
            for name, value in body.items()
        }
    return [_put_aside(each) for each in body] if isinstance(body, (list, tuple)) else body


def _put_back(body: object) -> object:
    if isinstance(body, _File):
        return body.content.decode("utf-8", "surrogatepass")
    if isinstance(body, dict):
        return {name: _put_back(value) for name, value in body.items()}
    return [_put_back(each) for each in body] if isinstance(body, list) else body
