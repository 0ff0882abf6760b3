"""What the host says to the gateway: the words in it are those of a box."""

from ay_bot.protocol.messages import HostToGateway
from pydantic import TypeAdapter

from fuzz.target import Target, recorded
from fuzz.targets.streams import DOCUMENTED, parser

TARGET = Target(
    parse=parser(TypeAdapter(HostToGateway)), seeds=recorded("to_gateway"), shape="json", documented=DOCUMENTED
)
