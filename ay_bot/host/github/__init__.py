"""The GitHub side: what is read from GitHub, what is written to it, and what people see of a run there."""
