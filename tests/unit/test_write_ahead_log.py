"""One SQLite file, opened for the first time by many at once."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.clients.ledger_database import Database, answers
from pipelines import write_ahead_log

AT_ONCE = 8
# Of a hundred files some twelve met the fault before it was mended.
FILES = 60


def test_many_set_the_mode_of_a_new_file_at_once(tmp_path):
    start = threading.Barrier(AT_ONCE)

    def open_and_write(path):
        start.wait()
        connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        try:
            write_ahead_log.prefer(connection)
            connection.execute("CREATE TABLE IF NOT EXISTS seen (name TEXT)")
            return connection.execute("PRAGMA journal_mode").fetchone()[0]
        finally:
            connection.close()

    paths = [tmp_path / f"{number}.sqlite" for number in range(FILES)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        modes = [mode for path in paths for mode in pool.map(open_and_write, [path] * AT_ONCE)]
    assert modes == ["wal"] * (AT_ONCE * FILES)


def test_many_processes_memories_are_made_of_one_new_file(tmp_path):
    databases = [Database(f"sqlite:///{tmp_path}/ledger.sqlite") for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(answers, databases)) == [True] * AT_ONCE
    for database in databases:
        database.close()


def test_a_file_that_stays_locked_is_told(tmp_path):
    path = tmp_path / "locked.sqlite"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    late = sqlite3.connect(path, isolation_level=None, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead_log.prefer(late, patience_seconds=0.05)
    holder.execute("ROLLBACK")
    write_ahead_log.prefer(late, patience_seconds=0.05)
    assert late.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    for connection in (holder, late):
        connection.close()


def test_another_error_is_not_waited_out(tmp_path):
    path = tmp_path / "torn.sqlite"
    path.write_bytes(b"no database at all" * 100)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        write_ahead_log.prefer(connection, patience_seconds=3600)
    connection.close()
