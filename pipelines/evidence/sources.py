"""Where bytes come from: files are mapped, streams and .gz are spooled to a file without a name, memory stays flat."""

import io
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import IO

from pipelines.errors import Refused

Buffer = bytes | mmap.mmap
IN_MEMORY = 8 << 20  # a stream beyond this goes to a temporary file
PIECE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS  # the header of gzip, not of zlib
GZIP_MAGIC = b"\x1f\x8b"


class TooLarge(Refused):
    """What is packed holds more than may be unpacked."""


@contextmanager
def opened(source: Path | bytes | IO[bytes], most_unpacked: int | None = None) -> Iterator[Buffer]:
    """The bytes of a file, a stream or a value, unpacked if gzipped. Raises Refused for what cannot be read.

    `most_unpacked` is how many bytes may come out of a .gz; beyond them TooLarge is raised.
    """
    if isinstance(source, bytes):
        if source[:2] == GZIP_MAGIC:
            with _spooled(io.BytesIO(source), "the log", most_unpacked) as buffer:
                yield buffer
        else:
            yield source
        return
    if not isinstance(source, Path):
        with _spooled(source, "the stream", most_unpacked) as buffer:
            yield buffer
        return
    try:
        with source.open("rb") as file:
            head = file.read(2)
            if head == GZIP_MAGIC or not source.is_file():
                with _spooled(file, str(source), most_unpacked, head) as buffer:
                    yield buffer
                return
            with _mapped(file) as buffer:
                yield buffer
    except OSError as problem:
        raise Refused(f"{source} cannot be read: {problem.strerror or problem}. Name a log file.") from problem


@contextmanager
def _mapped(file: IO[bytes]) -> Iterator[Buffer]:
    file.seek(0, 2)
    if not file.tell():
        yield b""  # an empty file cannot be mapped
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        yield mapped


@contextmanager
def _spooled(stream: IO[bytes], name: str, most_unpacked: int | None, head: bytes = b"") -> Iterator[Buffer]:
    """`head` is what was read of the stream already: a pipe cannot be read twice."""
    with tempfile.TemporaryFile() as kept:
        head = head or stream.read(2)
        if head != GZIP_MAGIC and _is_file(stream):
            with _mapped(stream) as buffer:  # it lies on the disk already
                yield buffer
            return
        for piece in _unpacked(head, stream, name) if head == GZIP_MAGIC else _plain(head, stream):
            if head == GZIP_MAGIC and most_unpacked is not None and kept.tell() + len(piece) > most_unpacked:
                raise TooLarge(
                    f"{name} holds more than {most_unpacked:,} bytes once it is unpacked. Send a part of it."
                )
            kept.write(piece)
        kept.flush()
        with _mapped(kept) as buffer:
            yield buffer


def _is_file(stream: IO[bytes]) -> bool:
    """Whether a stream that two bytes were read of is a whole file on the disk."""
    try:
        return S_ISREG(os.fstat(stream.fileno()).st_mode) and stream.tell() == 2
    except (OSError, AttributeError):
        return False


def _plain(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield head
    while piece := stream.read(PIECE):
        yield piece


def _unpacked(head: bytes, stream: IO[bytes], name: str) -> Iterator[bytes]:
    """Members of a .gz file one after the other; of a cut one, what was there."""
    member, told = zlib.decompressobj(_GZIP), False
    packed = head + stream.read(PIECE)
    while packed:
        try:
            piece = member.decompress(packed, PIECE)
        except zlib.error as problem:
            if told:
                return  # behind the archive stands something else
            raise Refused(f"{name} begins like a .gz file but is none ({problem}).") from problem
        told = told or bool(piece)
        yield piece
        packed = member.unconsumed_tail
        if member.eof:
            packed, member = member.unused_data, zlib.decompressobj(_GZIP)
        packed = packed or stream.read(PIECE)
