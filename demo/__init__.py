"""The demo: a repository with a bug, an issue, and a model that follows a script."""
