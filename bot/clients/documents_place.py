"""The place where LanceDB keeps the knowledge index: connecting, one writer at a time, and its failures in words."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.clients.documents_store import SERVICE
from pipelines.errors import Refused, Unavailable

if TYPE_CHECKING:
    from lancedb.db import DBConnection

CACHE_BYTES = 64 << 20  # LanceDB's own default is 6 GiB
PATIENCE_SECONDS = 60
# LanceDB tells everything that goes wrong in one class of error; these pieces of its texts are outages.
_OUTAGES = {
    "no space left": "the disk is full",
    "quota exceeded": "the disk is full",
    "permission denied": "its folder may not be written",
    "read-only file system": "its folder may not be written",
    "access denied": "the bucket does not let us in",
    "accessdenied": "the bucket does not let us in",
    "forbidden": "the bucket does not let us in",
    "nosuchbucket": "there is no such bucket",
    "does not exist": "its files are not there",
    "not found": "its files are not there",
    "conflict": "others are changing it; ask again",
    "timed out": "it does not answer",
    "timeout": "it does not answer",
    "dispatch failure": "it does not answer",
    "error sending request": "it does not answer",
    "connection": "it does not answer",
    "generic s3 error": "it does not answer",
    "service error": "it does not answer",
    "os error": "its disk could not be read or written",
    "lanceerror(io)": "it could not be read or written",
}


def connect(url: str, options: Mapping[str, str]) -> "DBConnection":
    """Readers see every commit at once, other processes' too."""
    import lancedb

    if "://" not in url:
        Path(url).mkdir(parents=True, exist_ok=True)
    return lancedb.connect(
        url, read_consistency_interval=timedelta(0), storage_options=dict(options) or None,
        session=lancedb.Session(index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES),
    )  # fmt: skip


@contextmanager
def writers_turn(url: str) -> Iterator[None]:
    """One writer at a time among the processes of this machine; in a bucket the commits alone decide."""
    if "://" in url:
        yield
        return
    import fcntl

    Path(url).mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    with (Path(url) / "writer.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(SERVICE, "it is locked by another process") from None
                time.sleep(0.02)
        yield  # closing the file lets go


@contextmanager
def told() -> Iterator[None]:
    """Outages become Unavailable; mistakes of ours stay what they are."""
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        reason = reason_of(error)
        if reason is None:
            raise
        raise Unavailable(SERVICE, reason) from error
    except ImportError as error:
        raise Refused(f"The knowledge index needs a package that is not installed: {error.name or error}.") from error


@contextmanager
def maybe_outrun() -> Iterator[None]:
    """Losing against another process's commit is no error here: the caller looks again at what is there."""
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        if "conflict" not in str(error).lower():
            raise


def reason_of(error: Exception) -> str | None:
    text = str(error).lower()
    found = next((reason for piece, reason in _OUTAGES.items() if piece in text), None)
    return found or ("it could not be read or written" if isinstance(error, OSError) else None)
