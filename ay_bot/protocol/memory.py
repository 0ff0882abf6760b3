"""Memory that was used and freed, given back to the system."""


def give_back_memory() -> None:
    """Return to the system what is free, where the C library can do that."""
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
