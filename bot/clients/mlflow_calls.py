"""Calls to MLflow: connecting, waiting in seconds instead of minutes, and its errors in plain words."""

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.clients.storage import far_errors
from pipelines.errors import Refused, Unavailable

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVICE = "MLflow"
NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"
ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"
OUR_FAULT = frozenset({"INVALID_PARAMETER_VALUE", "INVALID_STATE", "PERMISSION_DENIED", "UNAUTHENTICATED"})
BUSY_MILLISECONDS = 5_000
_THEIR_WAIT = "PRAGMA busy_timeout = 20000"

_listening = threading.Lock()
_loading = threading.Lock()


def load() -> None:
    """Import MLflow, one thread at a time: two at once deadlock, or meet a module that is half there."""
    with _loading:
        import mlflow.artifacts
        import mlflow.exceptions
        import mlflow.tracking  # noqa: F401


def connect(tracking_uri: str) -> "MlflowClient":
    """A client whose store answers; the tables of an empty SQL store are made. Takes seconds the first time."""
    load()
    from mlflow import MlflowClient

    _wait_less_for_locks()
    _create_whole(tracking_uri)
    client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
    client.search_experiments(max_results=1)
    return client


def _create_whole(tracking_uri: str) -> None:
    """Make a new SQLite registry beside its place and move it there.

    MLflow's migrations are no transaction: a process killed within them leaves a file that no later start can use.
    """
    url = make_url(tracking_uri) if tracking_uri.startswith("sqlite") else None
    if url is None or not url.database or Path(url.database).exists():
        return
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".registry-") as folder:
        from mlflow.store.db.utils import _initialize_tables

        fresh = Path(folder) / path.name
        engine = create_engine(f"sqlite:///{fresh}")
        make_tables: Callable[[Engine], None] = _initialize_tables
        make_tables(engine)
        engine.dispose()
        with suppress(FileExistsError):
            # Whoever links first has made it; a replica that was slower uses that one.
            path.hardlink_to(fresh)


@contextmanager
def told() -> Iterator[None]:
    """Turns what MLflow raises into Unavailable, or Refused where asking again would not help."""
    load()
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if code_of(error) in OUR_FAULT:
            raise Refused(f"MLflow refused: {_first_line(error)}") from error
        raise Unavailable(SERVICE, _reason(error)) from error
    except SQLAlchemyError as error:
        raise Unavailable(SERVICE, _reason(error)) from error
    except ImportError as error:
        raise Refused(f"MLflow needs a package that is not installed: {error.name or error}.") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable(SERVICE, "the disk of its artefacts is full" if full else _reason(error)) from error
    except far_errors() as error:
        raise Unavailable(SERVICE, f"the storage of its artefacts did not answer ({type(error).__name__})") from error


class ButFor:
    """Go on after the block when MLflow answers with this error code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        return error is not None and code_of(error) == self._code


def code_of(error: Any) -> str:
    return str(getattr(error, "error_code", ""))


def _wait_less_for_locks() -> None:
    """MLflow waits 20 s for a locked SQLite file, in each session anew and without a setting for it."""
    with _listening:
        if not event.contains(Engine, "before_cursor_execute", _shorten_wait):
            event.listen(Engine, "before_cursor_execute", _shorten_wait, retval=True)


def _shorten_wait(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    if statement.startswith(_THEIR_WAIT):
        statement = f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}"
    return statement, parameters


def _reason(error: Exception) -> str:
    text = str(error)
    for sign, reason in (
        ("database is locked", "its database is locked by another process"),
        ("disk is full", "the disk of its database is full"),
        ("readonly database", "its database may not be written"),
        ("unable to open database file", "its database file cannot be opened"),
        ("timed out", "it did not answer in time"),
        ("Max retries exceeded", "it cannot be reached"),
        ("Connection refused", "it cannot be reached"),
    ):
        if sign in text:
            return reason
    return f"it answered with an error: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
