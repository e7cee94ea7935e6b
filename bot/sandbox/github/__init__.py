"""A stand-in for GitHub's REST API, at the wire: the real client runs against it unmodified."""

from bot.sandbox.github.server import GithubSandbox

__all__ = ["GithubSandbox"]
