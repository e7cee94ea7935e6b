"""The addresses to which the app sends the bytes of files that it has announced."""

import secrets

from bot.sandbox.slack.store import Document


class Uploads:
    """A ticket takes one upload of exactly the announced length."""

    def __init__(self) -> None:
        self._announced: dict[str, tuple[Document, int]] = {}
        self._arrived: dict[str, Document] = {}

    def announce(self, file: Document, length: int) -> str:
        ticket = secrets.token_urlsafe(18)
        self._announced[ticket] = (file, length)
        return ticket

    def take(self, ticket: str) -> tuple[Document, int] | None:
        return self._announced.pop(ticket, None)

    def arrived(self, file: Document) -> None:
        """All bytes of the file are stored; it can be completed."""
        self._arrived[file["id"]] = file

    def waiting(self, file_id: str) -> Document | None:
        """A file that has arrived and is not completed yet."""
        return self._arrived.get(file_id)

    def completed(self, file_id: str) -> None:
        self._arrived.pop(file_id, None)
