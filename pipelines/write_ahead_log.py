"""SQLite's write-ahead log, asked for so that several processes may make one database at the same moment."""

import sqlite3
import time

PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.01


def prefer(connection: sqlite3.Connection, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Set the journal mode to WAL, which stays with the file. Raises sqlite3.OperationalError when it stays locked.

    SQLite does not call its busy handler where waiting could deadlock, and a change of the journal mode by two
    connections at once is such a place (sqlite.org/c3ref/busy_handler.html): the busy timeout does not help here.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not _busy(error) or time.monotonic() >= deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
