"""The last door before GitHub: nothing that is sent holds a secret of the run, whoever wrote it."""

from ay_bot.host.github.api_request import Asked, Reply, Send
from ay_bot.host.redact.redactor import Redactor, rebuilt, texts_of


def redacting(send: Send, redactor: Redactor) -> Send:
    """Return a way to send that takes what the redactor finds out of everything that is written."""

    def send_redacted(asked: Asked) -> Reply:
        texts = tuple(texts_of(asked.body))
        redacted = redactor.redact_all(texts)
        return send(asked if redacted == texts else asked._replace(body=rebuilt(asked.body, iter(redacted))))

    return send_redacted
