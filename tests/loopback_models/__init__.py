"""A server on the loopback that speaks the wire format of every family of model providers, and judges what it is asked."""
