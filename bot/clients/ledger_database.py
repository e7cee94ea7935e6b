"""Connections and transactions of the bot's memory: SQLite or Postgres, safe from many threads and processes."""

import errno
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, literal_column, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.clients import ledger_tables as tables
from pipelines import write_ahead_log
from pipelines.errors import Unavailable

SERVICE = "the bot's database"
BUSY_SECONDS = 5
# Any number that nobody else in this database uses: "shipmate" on a telephone's keys.
ADVISORY_LOCK = 74476283

_SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: "it is locked by another process",
    sqlite3.SQLITE_LOCKED: "it is locked by another process",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk could not be read or written",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_READONLY: "its file may not be written",
    sqlite3.SQLITE_CORRUPT: "its file is damaged; restore a copy",
    sqlite3.SQLITE_NOTADB: "its file is no SQLite database",
}
_POSTGRES_REASONS = {
    "53100": "its disk is full",
    "53300": "it has no connection left",
    "55P03": "it is locked by another process",
    "57014": "it took too long to answer",
    "25006": "it may only be read at the moment",
}


class Database:
    """Connects on first use. Raises Unavailable for what may pass: locks, a full disk, a lost connection."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._on_sqlite = self._url.get_backend_name() == "sqlite"
        self._made = threading.Lock()
        # SQLite's own waiting is not fair: among a hundred threads some would starve until their timeout.
        self._turn = threading.Lock()
        self._ready = False
        self._mine = threading.local()
        self.engine = _sqlite_engine(self._url) if self._on_sqlite else _postgres_engine(self._url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if (joined := self._joined()) is not None:
            yield joined
            return
        self._prepare()
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction at a time, over all threads and processes; committed at the end, else rolled back."""
        if (joined := self._joined()) is not None:
            yield joined
            return
        self._prepare()
        with self._one_writer() as connection:
            yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread reads and writes meanwhile is one transaction; an error on the way undoes all of it."""
        with self.writing() as connection:
            self._mine.connection = connection
            try:
                yield
            finally:
                self._mine.connection = None

    def _joined(self) -> Connection | None:
        return getattr(self._mine, "connection", None)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _one_writer(self) -> Iterator[Connection]:
        if self._on_sqlite and not self._turn.acquire(timeout=2 * BUSY_SECONDS):
            raise Unavailable(SERVICE, "it is busy with other work")
        try:
            with _told(), self.engine.connect() as connection:
                writer = connection.execution_options(shipmate_writes=True)
                with writer.begin():
                    if not self._on_sqlite:
                        writer.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
                    yield writer
        finally:
            if self._on_sqlite:
                self._turn.release()

    def _prepare(self) -> None:
        if self._ready:
            return
        with self._made:
            if not self._ready:
                self._make()
                self._ready = True

    def _make(self) -> None:
        if self._on_sqlite and self._url.database:
            with _told():
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        with self._one_writer() as connection:
            tables.create_tables(connection)


def insert_once(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row; False when a unique key says that it is there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    adding = dialect.insert(table).values(**values).on_conflict_do_nothing()
    # Not rowcount: SQLAlchemy does not keep it for inserts on Postgres.
    return connection.execute(adding.returning(literal_column("1"))).first() is not None


def answers(database: Database) -> bool:
    try:
        with database.reading() as connection:
            connection.execute(select(tables.schema_version.c.version).limit(1))
    except Unavailable:
        return False
    return True


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_size=10, max_overflow=90, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    write_ahead_log.prefer(connection, BUSY_SECONDS)
    # An approval that somebody was shown must outlive a power cut, which NORMAL would not promise.
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts by reading and then writes fails at once when somebody else wrote in between.
    writes = connection.get_execution_options().get("shipmate_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=20, pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True, connect_args={"connect_timeout": BUSY_SECONDS},
        execution_options={"schema_translate_map": {None: tables.POSTGRES_SCHEMA}},
    )  # fmt: skip
    event.listen(engine, "connect", _configure_postgres)
    return engine


def _configure_postgres(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.execute(f"SET statement_timeout = '{3 * BUSY_SECONDS}s'")
        # What a killed process left open would hold the lock of all writers.
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{6 * BUSY_SECONDS}s'")
    connection.commit()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable(SERVICE, "it is busy with other work") from error
    except DBAPIError as error:
        reason = reason_of(error)
        if reason is None:
            raise
        raise Unavailable(SERVICE, reason) from error
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else "its folder cannot be made or written"
        raise Unavailable(SERVICE, reason) from error


def reason_of(error: DBAPIError) -> str | None:
    """Why the database cannot be used now, as a clause; None for a mistake of ours."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        # The low byte is the primary code, what stands above it are refinements (sqlite.org/rescode.html).
        return _SQLITE_REASONS.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    known = _POSTGRES_REASONS.get(getattr(original, "sqlstate", None) or "")
    if known is None and (error.connection_invalidated or isinstance(error, OperationalError)):
        return "it does not answer"
    return known
