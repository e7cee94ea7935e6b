"""Documents in a SQLite file: written through at once, so that kill -9 loses nothing that was answered."""

import json
import sqlite3
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Store:
    """One thread owns it. `kind` and `key` name a document."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
        )
        self._connection.execute("CREATE TABLE IF NOT EXISTS blobs (key TEXT PRIMARY KEY, body BLOB)")

    def put(self, kind: str, key: str, body: Any) -> None:
        self._connection.execute("REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, json.dumps(body)))

    def remove(self, kind: str, key: str) -> None:
        self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def all(self, kind: str) -> dict[str, Any]:
        """Every document of a kind by its key, in the order of the keys."""
        rows = self._connection.execute("SELECT key, body FROM documents WHERE kind = ? ORDER BY key", (kind,))
        return {key: json.loads(body) for key, body in rows}

    def put_blob(self, key: str, body: bytes) -> None:
        self._connection.execute("REPLACE INTO blobs VALUES (?, ?)", (key, body))

    def blob(self, key: str) -> bytes | None:
        row = self._connection.execute("SELECT body FROM blobs WHERE key = ?", (key,)).fetchone()
        return bytes(row[0]) if row else None

    def close(self) -> None:
        self._connection.close()
