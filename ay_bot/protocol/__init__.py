"""All that two rooms share: the messages, the channel that carries them, and the events of a run."""
