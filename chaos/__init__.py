"""A model that misbehaves in every way we know of, and what each run made of it: `make chaos`."""
