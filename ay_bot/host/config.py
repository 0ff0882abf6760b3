"""The settings of a run, and the one place that reads the environment."""
