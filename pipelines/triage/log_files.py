"""Log files as people share them: plain, packed or several in an archive, become plain files of bounded size."""

import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from pipelines.errors import Refused

MOST_MEMBERS = 20
NAME = 80
HEAD = 8_192
PIECE = 1 << 20
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LOG = re.compile(r"\.(log|txt|out|err|gz|zip)$|\.log[.-]\d[\d.-]*$|^(stdout|stderr)$", re.IGNORECASE)
# What else has these endings: documents, and archives of programs.
_EITHER = re.compile(r"\.txt$", re.IGNORECASE)
# In GitHub's archives the files of the steps repeat what the files of the jobs say.
_JOB, _STEP = re.compile(r"^\d+_[^/]+\.txt$"), re.compile(r"^[^/]+/\d+_[^/]+\.txt$")


class SharedLogs(Protocol):
    def save(self, file_id: str, path: Path) -> str:
        """Bring a shared file to `path`; answers its name.

        Raises Refused for what is gone, lies elsewhere or is too large, Unavailable for outages.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Plain logs by name, and what could not be looked at."""

    logs: tuple[tuple[str, Path], ...]
    unseen: tuple[str, ...] = ()


def names_log(name: str) -> bool:
    """Whether a file of this name is usually a log, or holds some."""
    return bool(_LOG.search(name.strip()))


def names_document_too(name: str) -> bool:
    """Whether a file of this name may as well be a text for people."""
    return bool(_EITHER.search(name.strip()))


def unpacked(name: str, path: Path, folder: Path, most_bytes: int) -> Unpacked:
    """The logs of one file, plain, in `folder`; at most `most_bytes` come out of what is packed."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        if head.startswith(ZIP_MAGIC):
            return _members(name, path, folder, most_bytes)
        return Unpacked(((name, _plain(name, path, head, most_bytes)),))
    except Refused as refusal:
        return Unpacked((), (str(refusal),))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        return Unpacked((), (f"{name} cannot be unpacked: {error}.",))


def _plain(name: str, path: Path, head: bytes, most_bytes: int) -> Path:
    """Where the log lies once it is unpacked. Raises Refused for what is no log, or is too large."""
    from pipelines.evidence.sources import GZIP_MAGIC, TooLarge, opened

    if not head.startswith(GZIP_MAGIC):
        if _binary(head):
            raise Refused(f"{name} is no text.")
        return path
    plain = path.with_name(f"{path.name}.plain")
    try:
        with opened(path, most_bytes) as buffer:
            if _binary(buffer[:HEAD]):
                raise Refused(f"{name} holds no text.")
            plain.write_bytes(buffer)
    except TooLarge:
        raise Refused(f"{name} holds more than {most_bytes:,} bytes once it is unpacked.") from None
    finally:
        path.unlink()
    return plain


def _binary(head: bytes) -> bool:
    return b"\0" in head and not head.startswith(BYTE_ORDER_MARKS)


def _members(name: str, path: Path, folder: Path, most_bytes: int) -> Unpacked:
    logs: list[tuple[str, Path]] = []
    unseen: list[str] = []
    left = most_bytes
    with zipfile.ZipFile(path) as archive:
        members = _worth_reading(archive.infolist())
        if not members:
            raise Refused(f"{name} holds no file.")
        for number, member in enumerate(members[:MOST_MEMBERS]):
            called = f"{name}: {member.filename[-NAME:]}"
            if member.flag_bits & 1:
                unseen.append(f"{called} has a password.")
                continue
            # A member's name may be any path, so ours is a number.
            kept = folder / f"{path.name}-{number}"
            with archive.open(member) as source:
                size = _copied(source, kept, left)
            if size is None:
                unseen.append(f"{called} and what follows: they hold more than {most_bytes:,} bytes together.")
                break
            found = Unpacked((), (f"{called} is an archive in an archive.",))
            if not _archive(kept):
                found = unpacked(called, kept, folder, left)
            left = max(0, left - max(size, *(log.stat().st_size for _, log in found.logs), 0))
            logs += found.logs
            unseen += found.unseen
    if len(members) > MOST_MEMBERS:
        unseen.append(f"{len(members) - MOST_MEMBERS} more files in {name}.")
    return Unpacked(tuple(logs), tuple(unseen))


def _worth_reading(members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    files = [one for one in members if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if any(_JOB.match(one.filename) for one in files):
        return [one for one in files if not _STEP.match(one.filename)]
    return files


def _archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in ZIP_MAGIC


def _copied(source: IO[bytes], path: Path, most_bytes: int) -> int | None:
    """How many bytes were copied; None where there are more than may be, and then nothing is left of them."""
    size = 0
    with path.open("wb") as kept:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > most_bytes:
                break
            kept.write(piece)
    if size <= most_bytes:
        return size
    path.unlink()
    return None


def fenced(text: str) -> str:
    """What stands between ``` marks of a message, the whole message where there are none."""
    blocks = [block.strip("\n") for place, block in enumerate(text.split("```")) if place % 2 and block.strip()]
    return "\n".join(blocks) if blocks else text
