"""A GitHub on loopback: real bare repositories, GitHub's REST, GraphQL and git over HTTP, and switches that break them."""
