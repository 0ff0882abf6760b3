"""What an agent may read, write and run: the repository's own rules, who keeps them, and what they say of a case."""
