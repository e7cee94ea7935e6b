"""GitHub by PyGithub: runs and their logs, the code behind them, and what we write there."""

from bot.clients.github.connection import Connection, connect
from bot.clients.github.runs import GithubRuns
from bot.clients.github.sources import GithubSources
from bot.clients.github.voice import GithubVoice

__all__ = ["Connection", "GithubRuns", "GithubSources", "GithubVoice", "connect"]
