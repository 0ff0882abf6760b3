"""Runs that are killed at random moments, and what is left of them after the next command: `make soak`."""
