"""Changing files as a model asked for it: one engine decides which lines are meant, or says why none are."""
