"""A stand-in for GitHub, at the wire: REST API, logs, webhooks and a few pages; the real client runs unmodified."""

from bot.sandbox.github.server import GithubSandbox

__all__ = ["GithubSandbox"]
