"""Scheduled maintenance: chores that the repository's configuration names, one pull request each."""
