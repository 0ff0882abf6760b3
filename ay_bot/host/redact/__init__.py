"""What must not leave: secrets of a run in any encoding, keys by their shape, and the canaries of a box."""
