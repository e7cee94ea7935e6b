"""What GitHub remembers beside git: documents by kind and number, and blobs. A file, or memory only."""

import json
import sqlite3
import threading
from pathlib import Path

from bot.sandbox.github.answers import Document

# GitHub's numbers have long outgrown 32 bits, and a client that reads them into such shall notice.
FIRST_NUMBER = 15_000_000_001


class Store:
    def __init__(self, path: Path | None = None) -> None:
        self._turn = threading.RLock()
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS documents (kind TEXT, number INTEGER, body TEXT, PRIMARY KEY (kind, number))"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, content BLOB)")
        self._database.execute("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, last INTEGER)")

    def next_number(self, counter: str = "", first: int = FIRST_NUMBER) -> int:
        with self._turn:
            found = self._database.execute("SELECT last FROM counters WHERE name = ?", (counter,)).fetchone()
            number = found[0] + 1 if found else first
            self._database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (counter, number))
            return int(number)

    def put(self, kind: str, number: int, document: Document) -> None:
        with self._turn:
            row = (kind, number, json.dumps(document))
            self._database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", row)

    def get(self, kind: str, number: int) -> Document | None:
        with self._turn:
            query = "SELECT body FROM documents WHERE kind = ? AND number = ?"
            found = self._database.execute(query, (kind, number)).fetchone()
            return json.loads(found[0]) if found else None

    def all(self, kind: str) -> list[Document]:
        """Oldest first."""
        with self._turn:
            query = "SELECT body FROM documents WHERE kind = ? ORDER BY number"
            return [json.loads(row[0]) for row in self._database.execute(query, (kind,))]

    def remove(self, kind: str, number: int) -> None:
        with self._turn:
            self._database.execute("DELETE FROM documents WHERE kind = ? AND number = ?", (kind, number))

    def put_blob(self, name: str, content: bytes) -> None:
        with self._turn:
            self._database.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (name, content))

    def blob(self, name: str) -> bytes | None:
        with self._turn:
            found = self._database.execute("SELECT content FROM blobs WHERE name = ?", (name,)).fetchone()
            return bytes(found[0]) if found else None

    def remove_blob(self, name: str) -> None:
        with self._turn:
            self._database.execute("DELETE FROM blobs WHERE name = ?", (name,))

    def close(self) -> None:
        with self._turn:
            self._database.close()
