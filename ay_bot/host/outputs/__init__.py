"""What an agent's typed outputs may do: seven stages in order, of which the first six judge and have no effect."""
