"""The redactor, which sees every byte that leaves: it loses none of ours and it doesn't grow slow."""

from ay_bot.host.redact.redactor import Redactor

from fuzz.target import Target, recorded

SECRETS = ("ghs_Zk3LmQ9xT7vB2nR5wY8cJ4hD6fG1sA0pE", "correct horse battery staple", "AKIDXQ7WPLM2ZRTYUIOP")
REDACTOR = Redactor(SECRETS, ("sk-proj-Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0",))


def parse(data: bytes) -> None:
    """Redact: no whole secret is left, and what was redacted stays as it is."""
    redacted = REDACTOR.redact_bytes(data)
    assert not any(secret.encode() in redacted for secret in SECRETS)
    text = data.decode("utf-8", "surrogateescape")
    assert REDACTOR.redact(text) is not None


SEEDS = [
    f"token={SECRETS[0]}\n".encode(), SECRETS[0][::-1].encode(), SECRETS[0].encode().hex().encode(),
    b"Z2hzX1prM0xtUTl4VDd2QjJuUjV3WThjSjRoRDZmRzFzQTBwRQ==", b"correct%20horse%20battery%20staple\n",
    b"-".join(bytes([byte]) for byte in SECRETS[0].encode()), b"x = 1\n" * 20, *recorded("diff"),
    b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", b"AKIAIOSFODNN7EXAMPLE\nxoxb-1-2-abc\n",
]  # fmt: skip
TARGET = Target(parse=parse, seeds=SEEDS, shape="lines", longest=1000, share=0.05)
