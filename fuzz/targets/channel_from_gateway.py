"""What the gateway says, as the host reads it."""

from ay_bot.protocol.messages import GatewayToHost
from pydantic import TypeAdapter

from fuzz.target import Target, recorded
from fuzz.targets.streams import DOCUMENTED, parser

SEEDS = [
    *recorded("from_gateway"),
    b'{"kind":"model_failure","request_id":3,"cause":"rate_limit","message":"slow down"}\n',
    b'{"kind":"model_progress","request_id":3,"received_characters":70,"retry_in":1.5,"reason":"429"}\n',
]
TARGET = Target(parse=parser(TypeAdapter(GatewayToHost)), seeds=SEEDS, shape="json", documented=DOCUMENTED)
