"""The Web API, a module a family. Importing a module registers its methods."""

from bot.sandbox.slack.methods import apps, chat, conversations, users, views

__all__ = ["apps", "chat", "conversations", "users", "views"]
