"""The host room: it holds the repository and the engine, judges all that leaves a box, and publishes."""
