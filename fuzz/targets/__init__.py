"""One module for each parser: what it is given, what it may raise, and what it must never do."""
