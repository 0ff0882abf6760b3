"""Fuzzing: everything that reads what a box, a model or another job wrote, fed with a million broken ones each."""
