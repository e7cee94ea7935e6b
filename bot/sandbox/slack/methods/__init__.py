"""The Web API, a module a family. Importing a module registers its methods."""

from bot.sandbox.slack.methods import (
    apps,
    assistant,
    blocks,
    chat,
    conversations,
    files,
    reactions,
    streams,
    users,
    views,
)

__all__ = ["apps", "assistant", "blocks", "chat", "conversations", "files", "reactions", "streams", "users", "views"]
