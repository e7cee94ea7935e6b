"""The addresses to which the app sends the bytes of files that it has announced."""

import secrets

from bot.sandbox.slack.store import Document


class Uploads:
    """A ticket takes one upload of exactly the announced length."""

    def __init__(self) -> None:
        self._announced: dict[str, tuple[Document, int]] = {}

    def announce(self, file: Document, length: int) -> str:
        ticket = secrets.token_urlsafe(18)
        self._announced[ticket] = (file, length)
        return ticket

    def take(self, ticket: str) -> tuple[Document, int] | None:
        return self._announced.pop(ticket, None)
