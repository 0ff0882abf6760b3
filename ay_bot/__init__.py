"""ay-bot: a sandboxed, headless coding bot whose pull requests are proven by the repository's own tests."""

__version__ = "0.1.0"
