"""Keeps the knowledge index in step with a folder, or with a git repository: what changed is put, what is gone goes."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from bot.clients.conversion import MOST_BYTES, Converted, convert
from pipelines.ask.chunks import Window, count_words, split
from pipelines.ask.values import Chunk, Document, SourceKind
from pipelines.errors import Refused, Unavailable

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".rst", ".html", ".htm", ".pdf", ".docx", ".ipynb"})
MOST_FILES = 20_000
BATCH = 50  # files put at once
GIT_SECONDS = 300


class Shelf(Protocol):
    """What of the knowledge index a source needs."""

    def every(self) -> Sequence[Document]: ...

    def put_all(self, documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> None: ...

    def remove(self, document_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Source:
    """`place` is a folder, or the address of a git repository. `url` is put before a file's path to make its link."""

    name: str
    place: str
    channels: tuple[str, ...] = ()
    url: str = ""

    @property
    def kind(self) -> SourceKind:
        is_git = re.match(r"(https?|ssh|git)://|[\w.-]+@[\w.-]+:", self.place) or self.place.endswith(".git")
        return "git" if is_git else "folder"


@dataclass(frozen=True, slots=True)
class Synced:
    """`refused`: path and reason of files that could not be read; what they said before is kept."""

    put: int = 0
    removed: int = 0
    unchanged: int = 0
    refused: tuple[tuple[str, str], ...] = ()


@dataclass
class SourceSync:
    """`folder` holds the clones of git repositories. `progress` is told how many files of how many are done."""

    shelf: Shelf
    folder: Path
    now: Callable[[], datetime]
    window: Window = field(default_factory=Window)

    def sync(self, source: Source, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Synced:
        """Nothing is removed when the source cannot be read. Interrupted, it ends its work the next time."""
        root = self._cloned(source) if source.kind == "git" else Path(source.place).expanduser()
        if not root.is_dir():
            raise Refused(f"There is no folder {root}. Check the source {source.name}.")
        files = sorted(_files(root))
        if len(files) > MOST_FILES:
            raise Refused(f"{source.name} holds {len(files)} documents; at most {MOST_FILES} can be watched.")
        prefix = f"{source.kind}:{source.name}/"
        known = {document.id: document for document in self.shelf.every() if document.id.startswith(prefix)}
        refused: list[tuple[str, str]] = []
        changed = 0
        for start in range(0, len(files), BATCH):
            fresh = []
            for path in files[start : start + BATCH]:
                relative = path.relative_to(root).as_posix()
                try:
                    document, chunks = self._document(source, prefix + relative, path, relative)
                except Refused as refusal:
                    refused.append((relative, str(refusal)))
                    continue
                if not _is_same(known.get(document.id), document):
                    fresh.append((document, chunks))
            self.shelf.put_all(fresh)
            changed += len(fresh)
            progress(min(start + BATCH, len(files)), len(files))
        there = {prefix + path.relative_to(root).as_posix() for path in files}
        gone = [document_id for document_id in known if document_id not in there]
        removed = sum(self.shelf.remove(document_id) for document_id in gone)
        return Synced(changed, removed, len(files) - changed - len(refused), tuple(refused))

    def _document(
        self, source: Source, document_id: str, path: Path, relative: str
    ) -> tuple[Document, tuple[Chunk, ...]]:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise Refused(f"{path.name} is larger than {MOST_BYTES >> 20} MB.")
            converted = convert(path.read_bytes(), path.name)
        except OSError as error:
            raise Refused(f"{path.name} cannot be read: {error.strerror or error}.") from error
        url = source.url.rstrip("/") + "/" + quote(relative) if source.url else ""
        return document_of(
            converted, document_id, relative, source.kind, self.now(), source.name, source.channels, url, self.window
        )

    def _cloned(self, source: Source) -> Path:
        """The newest state of the repository's own branch, without its history."""
        place = hashlib.sha256(source.place.encode()).hexdigest()[:16]
        clone = self.folder / place
        fetch = ("fetch", "--depth", "1", "origin", "HEAD"), ("reset", "--hard", "--quiet", "FETCH_HEAD")
        if (clone / ".git").is_dir() and not any(_git(["-C", str(clone), *step]) for step in fetch):
            return clone
        # The first time, or a clone that was killed half-way.
        unfinished = self.folder / f"{place}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        if problem := _git(["clone", "--depth", "1", "--quiet", "--", source.place, str(unfinished)]):
            raise Unavailable(f"the repository of {source.name}", problem)
        shutil.rmtree(clone, ignore_errors=True)
        unfinished.replace(clone)
        return clone


def document_of(
    converted: Converted,
    document_id: str,
    source: str,
    kind: SourceKind,
    added_at: datetime,
    added_by: str,
    channels: tuple[str, ...] = (),
    url: str = "",
    window: Window = Window(),  # noqa: B008 (frozen)
) -> tuple[Document, tuple[Chunk, ...]]:
    """A converted file as the index takes it."""
    content = hashlib.sha256(converted.text.encode()).hexdigest()
    words = count_words(converted.text)
    document = Document(
        document_id, converted.title, source, kind, content, added_at, added_by, channels, url, words
    )  # fmt: skip
    return document, split(converted.text, converted.title, window)


def _files(root: Path) -> Iterator[Path]:
    """Readable kinds, without hidden folders and without what leads out of the root."""
    inside = root.resolve()
    for path in root.rglob("*"):
        hidden = any(part.startswith(".") or part == "node_modules" for part in path.relative_to(root).parts)
        if not hidden and path.suffix.lower() in SUFFIXES and path.is_file() and path.resolve().is_relative_to(inside):
            yield path


def _is_same(known: Document | None, document: Document) -> bool:
    return known is not None and (known.sha256, known.channels, known.title, known.url) == (
        document.sha256,
        document.channels,
        document.title,
        document.url,
    )


def _git(arguments: Sequence[str]) -> str:
    """What went wrong, in git's own words; empty when nothing did. Never asks anybody for a password."""
    git = shutil.which("git")
    if git is None:
        return "git is not installed"
    safe = ("-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false", "-c", "protocol.ext.allow=never")
    try:
        ended = subprocess.run(  # noqa: S603 (arguments are ours, the address stands behind --)
            [git, *safe, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=GIT_SECONDS, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "did not answer in time"
    lines = (ended.stderr.strip() or "failed").splitlines()
    return "" if ended.returncode == 0 else re.sub(r"//[^/@\s]+@", "//", lines[-1])[:200]
