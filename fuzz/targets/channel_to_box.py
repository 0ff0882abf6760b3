"""What the host says to a box with an agent."""

from ay_bot.agent.working import build_reader

from fuzz.target import Target, recorded
from fuzz.targets.streams import DOCUMENTED, parser

TARGET = Target(parse=parser(build_reader()), seeds=recorded("to_box"), shape="json", documented=DOCUMENTED)
