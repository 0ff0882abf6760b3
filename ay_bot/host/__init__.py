"""The host room: it holds the repository and the engine's socket, judges all that comes out of the box, and publishes."""
