"""The knowledge index in Postgres with pgvector, for teams that want one database.

A change is one transaction, so readers see a document as it was or as it is. Vectors lie in a table of their own, by
embedding, so that another embedding is filled in beside the one that was.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bot.clients.documents_sql import ADDED, CANDIDATES, DOCUMENT, NEAREST, SCHEMA, VECTOR_INDEX, vector_text
from bot.clients.documents_store import SERVICE, Entry, Hit, Kept, Waiting
from pipelines.ask.values import Chunk, Document
from pipelines.errors import Refused, Unavailable

if TYPE_CHECKING:
    import numpy as np
    import psycopg

EXACT_UP_TO = 100_000  # chunks; up to here every vector is looked at
PATIENCE = "10s"
# "shipkno" on a telephone's keys; nobody else's number in this database.
WRITERS_LOCK = 7447566


class PostgresStore:
    """Connects for each call; makes its schema, `shipmate_knowledge`, on the first."""

    def __init__(self, url: str, embedding_name: str) -> None:
        self._url = url.replace("postgres://", "postgresql://", 1)
        self._embedding = hashlib.sha256(embedding_name.encode()).hexdigest()[:10]
        self._preparing = threading.Lock()
        self._ready = False

    def replace(self, entries: Sequence[Entry]) -> None:
        with self._connected(writes=True) as connection:
            for entry in entries:
                self._replace(connection, entry)
            _drop_orphans(connection)

    def remove(self, document_id: str) -> bool:
        with self._connected(writes=True) as connection:
            gone = connection.execute("DELETE FROM documents WHERE id = %s", [document_id]).rowcount
            _drop_orphans(connection)
        return gone > 0

    def kept(self, contents: Sequence[str]) -> Mapping[str, Kept]:
        found: dict[str, Kept] = {}
        with self._connected() as connection:
            for content in contents:
                documents = connection.execute(f"{DOCUMENT} WHERE sha256 = %s ORDER BY added_at", [content]).fetchall()
                if documents:
                    chunks, vectors = self._chunks(connection, content)
                    found[content] = Kept(tuple(_document(row) for row in documents), chunks, vectors)
        return found

    def get(self, document_id: str) -> Document | None:
        with self._connected() as connection:
            row = connection.execute(f"{DOCUMENT} WHERE id = %s", [document_id]).fetchone()
        return _document(row) if row else None

    def documents(self) -> Sequence[Document]:
        with self._connected() as connection:
            return [_document(row) for row in connection.execute(f"{DOCUMENT} ORDER BY added_at DESC, id")]

    def nearest(self, vector: "np.ndarray", channel: str | None, limit: int) -> Sequence[Hit]:
        with self._connected() as connection:
            connection.execute(f"SET LOCAL hnsw.ef_search = {min(1000, 4 * limit)}")
            connection.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            statement = NEAREST.replace("$width", str(int(vector.shape[0])))
            asked = {"embedding": self._embedding, "vector": vector_text(vector), "channel": channel, "limit": limit}
            return self._hits(connection, statement, asked)

    def matching(self, words: str, channel: str | None, limit: int) -> Sequence[Hit]:
        """BM25 (k1 1.2, b 0.75) over the words as Postgres stems them."""
        asked = {"embedding": self._embedding, "words": words, "channel": channel, "limit": limit}
        with self._connected() as connection:
            return self._hits(connection, CANDIDATES, asked)

    def waiting(self, limit: int) -> Sequence[Waiting]:
        statement = """
            SELECT c.sha256 || ' ' || c.number, min(d.title), c.number, c.headings, c.text, c.first_line, c.last_line
            FROM chunks c JOIN documents d USING (sha256)
            WHERE NOT EXISTS (SELECT 1 FROM vectors v
                              WHERE v.sha256 = c.sha256 AND v.number = c.number AND v.embedding = %s)
            GROUP BY c.sha256, c.number ORDER BY c.sha256, c.number LIMIT %s"""
        with self._connected() as connection:
            rows = connection.execute(statement, [self._embedding, limit]).fetchall()
        return [Waiting(row[0], row[1], _chunk(row[2:])) for row in rows]

    def fill(self, keys: Sequence[str], vectors: "np.ndarray") -> None:
        with self._connected(writes=True) as connection:
            self._same_width(connection, vectors)
            for key, vector in zip(keys, vectors, strict=True):
                content, number = key.split(" ")
                # A chunk that was replaced meanwhile is not there any more.
                connection.execute(
                    """INSERT INTO vectors SELECT %s, sha256, number, %s::vector FROM chunks
                       WHERE sha256 = %s AND number = %s ON CONFLICT DO NOTHING""",
                    [self._embedding, vector_text(vector), content, int(number)],
                )

    def complete(self) -> bool:
        return not self.waiting(1)

    def tidy(self) -> int:
        if not self.complete():
            return 0
        with self._connected(writes=True) as connection:
            connection.execute("DELETE FROM vectors WHERE embedding <> %s", [self._embedding])
            row = connection.execute("SELECT count(*), min(vector_dims(vector)) FROM vectors").fetchone()
            if row and row[0] > EXACT_UP_TO:
                statement = VECTOR_INDEX.replace("$embedding", self._embedding).replace("$width", str(row[1]))
                connection.execute("SET LOCAL statement_timeout = 0")
                connection.execute(statement)
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _replace(self, connection: "psycopg.Connection[Any]", entry: Entry) -> None:
        document = entry.document
        self._same_width(connection, entry.vectors)
        connection.execute("DELETE FROM documents WHERE id = %s", [document.id])
        connection.execute("DELETE FROM chunks WHERE sha256 = %s", [document.sha256])
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO documents VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    document.id, document.sha256, document.title, document.source, document.kind, document.added_at,
                    document.added_by, list(document.channels), document.url, document.words,
                ],
            )  # fmt: skip
            cursor.executemany(
                f"INSERT INTO chunks VALUES (%s, %s, %s, %s, %s, %s, {ADDED})",  # noqa: S608
                [
                    [document.sha256, chunk.number, list(chunk.headings), _storable(chunk.text), chunk.first_line,
                     chunk.last_line, words, words]
                    for chunk, words in zip(entry.chunks, entry.words, strict=True)
                ],
            )  # fmt: skip
            cursor.executemany(
                "INSERT INTO vectors VALUES (%s, %s, %s, %s::vector)",
                [
                    [self._embedding, document.sha256, chunk.number, vector_text(vector)]
                    for chunk, vector in zip(entry.chunks, entry.vectors, strict=True)
                ],
            )

    def _same_width(self, connection: "psycopg.Connection[Any]", vectors: "np.ndarray") -> None:
        row = connection.execute(
            "SELECT vector_dims(vector) FROM vectors WHERE embedding = %s LIMIT 1", [self._embedding]
        ).fetchone()
        width = int(vectors.shape[1])
        if row and row[0] != width:
            raise Unavailable(SERVICE, f"the embedding gives {width} numbers a text where it gave {row[0]} before")

    def _chunks(
        self, connection: "psycopg.Connection[Any]", content: str
    ) -> tuple[tuple[Chunk, ...], "np.ndarray | None"]:
        rows = connection.execute(
            """SELECT c.number, c.headings, c.text, c.first_line, c.last_line, v.vector::text FROM chunks c
               LEFT JOIN vectors v ON v.sha256 = c.sha256 AND v.number = c.number AND v.embedding = %s
               WHERE c.sha256 = %s ORDER BY c.number""",
            [self._embedding, content],
        ).fetchall()
        import numpy as np

        vectors = [_vector(row[5]) for row in rows]
        whole = [vector for vector in vectors if vector is not None]
        return tuple(_chunk(row) for row in rows), np.stack(whole) if rows and len(whole) == len(rows) else None

    def _hits(self, connection: "psycopg.Connection[Any]", statement: str, asked: dict[str, Any]) -> list[Hit]:
        rows = connection.execute(statement, asked).fetchall()
        return [Hit(_document(row[6:]), _chunk(row), _vector(row[5])) for row in rows]

    @contextmanager
    def _connected(self, writes: bool = False) -> Iterator["psycopg.Connection[Any]"]:
        """One transaction; of all writers one at a time."""
        try:
            import psycopg
        except ImportError as error:
            raise Refused(
                "A knowledge index in Postgres needs the package psycopg; install shipmate[postgres]."
            ) from error
        try:
            with psycopg.connect(self._url, connect_timeout=5) as connection:
                self._prepare(connection)
                connection.execute("SET LOCAL search_path TO shipmate_knowledge, public")
                connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                if writes:
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_LOCK])
                yield connection
        except psycopg.errors.UndefinedFile as error:
            raise Unavailable(SERVICE, "this Postgres lacks the extension pgvector") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise Unavailable(SERVICE, "the database does not let us in; it needs the extension vector") from error
        except psycopg.errors.DiskFull as error:
            raise Unavailable(SERVICE, "its disk is full") from error
        except psycopg.errors.LockNotAvailable as error:
            raise Unavailable(SERVICE, "it is locked by another process") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable(SERVICE, "its database does not answer") from error

    def _prepare(self, connection: "psycopg.Connection[Any]") -> None:
        with self._preparing:
            if not self._ready:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_LOCK])
                connection.execute(SCHEMA)
                connection.commit()
                self._ready = True


def _drop_orphans(connection: "psycopg.Connection[Any]") -> None:
    connection.execute("DELETE FROM chunks c WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.sha256 = c.sha256)")


def _document(row: Sequence[Any]) -> Document:
    document_id, sha256, title, source, kind, added_at, added_by, channels, url, words = row
    return Document(document_id, title, source, kind, sha256, added_at, added_by, tuple(channels), url, words)


def _chunk(row: Sequence[Any]) -> Chunk:
    number, headings, text, first_line, last_line = row[:5]
    return Chunk(number, tuple(headings), text, first_line, last_line)


def _vector(text: str | None) -> "np.ndarray | None":
    import numpy as np

    return None if text is None else np.array(text.strip("[]").split(","), np.float32)


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")  # the one character that Postgres does not take
