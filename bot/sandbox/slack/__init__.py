"""A Slack workspace on loopback: Web API, Socket Mode, HTTP delivery and a page to use it."""

from bot.sandbox.slack.server import SlackSandbox

__all__ = ["SlackSandbox"]
