"""Logs come from another host by a signed address: the token stays at home, and the disk stays bounded."""

import gzip
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bot.clients.github.connection import SERVICE
from pipelines.errors import Unavailable

if TYPE_CHECKING:
    from requests import PreparedRequest

CHUNK = 1 << 20
ANSWER_SECONDS = (10, 30)
GONE = {403, 404, 410}


class Gone(Exception):
    """The signed address leads to nothing any more."""


def fetch(address: str) -> Iterator[bytes]:
    """The bytes behind a signed address. Raises Gone, or Unavailable where asking again may help."""
    import requests

    try:
        # `auth` is set so that nothing of the person's netrc goes there either.
        with requests.get(address, stream=True, timeout=ANSWER_SECONDS, auth=_nobody) as answer:
            if answer.status_code in GONE:
                raise Gone(f"{answer.status_code}")
            if answer.status_code != 200:
                raise Unavailable(SERVICE, f"its log store answered {answer.status_code}")
            yield from answer.iter_content(CHUNK)
    except requests.RequestException as error:
        raise Unavailable(SERVICE, f"its log store did not answer ({type(error).__name__})") from error


def keep(chunks: Iterable[bytes], path: Path, limit_bytes: int) -> tuple[int, int]:
    """Write what comes to `path`: all of it, or its first and its last part. Answers (size, left out), in bytes.

    Failures stand at the end of a log and what led to them at its beginning, so the middle goes.
    """
    head, ring = limit_bytes // 2, limit_bytes - limit_bytes // 2
    size = 0
    with path.open("wb") as kept, tempfile.TemporaryFile(dir=path.parent) as tail:
        for chunk in chunks:
            rest = chunk
            if size < head:
                kept.write(rest[: head - size])
                size, rest = size + min(len(rest), head - size), rest[head - size :]
            while rest:
                place = (size - head) % ring
                part = rest[: ring - place]
                tail.seek(place)
                tail.write(part)
                size, rest = size + len(part), rest[len(part) :]
        _append_tail(kept, tail, max(0, size - head), ring)
    return size, max(0, size - limit_bytes)


def unpacked(path: Path, job: str, limit_bytes: int) -> tuple[int, int] | None:
    """Where a log came as zip or gzip, put the plain log in its place. None for what was plain already.

    Raises Gone where the archive holds nothing of this job or cannot be read.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    plain = path.with_name(f"{path.name}.plain")
    try:
        if magic[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                told = keep(_chunks(packed.read), plain, limit_bytes)
        elif magic == b"PK\x03\x04":
            told = _unzipped(path, job, plain, limit_bytes)
        else:
            return None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise Gone(f"the archive cannot be read: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            plain.replace(path)
    return told


def _unzipped(path: Path, job: str, plain: Path, limit_bytes: int) -> tuple[int, int]:
    """One member "3_JOB.txt", or the files of its steps in their order."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        whole = [name for name in names if "/" not in name and _member_of(name) == _plain_name(job)]
        steps = [name for name in names if name.rpartition("/")[0] == _plain_name(job)]
        chosen = whole[:1] or sorted(steps, key=_step_number)
        if not chosen:
            raise Gone("the archive holds no log of this job")

        def chunks() -> Iterator[bytes]:
            for name in chosen:
                with archive.open(name) as member:
                    yield from _chunks(member.read)

        return keep(chunks(), plain, limit_bytes)


def _append_tail(kept: IO[bytes], tail: IO[bytes], told: int, ring: int) -> None:
    """The ring in the order in which it was written, the oldest bytes first."""
    start = told % ring if told > ring else 0
    tail.seek(start)
    shutil.copyfileobj(tail, kept, CHUNK)
    if start:
        tail.seek(0)
        rest = start
        while rest and (part := tail.read(min(CHUNK, rest))):
            kept.write(part)
            rest -= len(part)


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while part := read(CHUNK):
        yield part


def _member_of(name: str) -> str:
    return name.partition("_")[2].removesuffix(".txt")


def _plain_name(job: str) -> str:
    """As GitHub names files after jobs: without what a file name may not hold."""
    return "".join("" if character in '/\\:*?"<>|' else character for character in job)


def _step_number(name: str) -> int:
    number = name.rpartition("/")[2].partition("_")[0]
    return int(number) if number.isdecimal() else 0


def _nobody(request: "PreparedRequest") -> "PreparedRequest":
    request.headers.pop("Authorization", None)
    return request
