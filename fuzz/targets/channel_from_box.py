"""What a box says, as the host reads it."""

from ay_bot.protocol.messages import BoxToHost
from pydantic import TypeAdapter

from fuzz.target import Target, recorded
from fuzz.targets.streams import DOCUMENTED, parser

TARGET = Target(parse=parser(TypeAdapter(BoxToHost)), seeds=recorded("from_box"), shape="json", documented=DOCUMENTED)
