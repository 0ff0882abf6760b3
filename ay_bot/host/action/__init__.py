"""The bot as GitHub Actions starts it: an event goes in, work on GitHub comes out."""
