"""Keeps Storage: a directory, or a bucket by any URL that fsspec knows (s3://bucket/prefix)."""

import errno
import hashlib
import os
import posixpath
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.errors import Refused, Unavailable

SERVICE = "the storage"
BLOCK_BYTES = 1 << 20


class FsspecStorage:
    """Keys are relative paths with forward slashes; a key that leads out of the root is refused."""

    def __init__(self, root_url: str, options: dict[str, Any] | None = None) -> None:
        """`options` go to the fsspec file system, such as `endpoint_url` for an S3 of one's own."""
        self._is_local = "://" not in root_url or root_url.startswith("file://")
        self._root = str(Path(root_url.removeprefix("file://")).absolute()) if self._is_local else root_url.rstrip("/")
        self._options = options or {}

    def write(self, key: str, content: bytes | Path) -> str:
        url = self.url(key)
        with _told():
            if self._is_local:
                _write_file(Path(url), content)
            elif isinstance(content, Path):
                # Objects of a bucket appear whole when the upload ends, or not at all.
                self._files().put_file(str(content), url)
            else:
                self._files().pipe_file(url, content)
        return url

    def read(self, key: str) -> bytes | None:
        url = self.url(key)
        with _told():
            try:
                if self._is_local:
                    return Path(url).read_bytes()
                found: bytes = self._files().cat_file(url)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None
            return found

    def remove(self, key: str) -> None:
        url = self.url(key)
        with _told(), suppress(FileNotFoundError):
            if self._is_local:
                Path(url).unlink(missing_ok=True)
            else:
                self._files().rm_file(url)

    def url(self, key: str) -> str:
        plain = posixpath.normpath(key)
        if plain.startswith(("/", "..")) or plain == "." or "\\" in key or "\x00" in key:
            raise Refused(f"`{key[:100]}` is no place in the storage.")
        return f"{self._root}/{plain}"

    def keys(self, prefix: str) -> list[str]:
        """All keys below `prefix`, sorted."""
        below = self.url(prefix)
        with _told():
            if self._is_local:
                found = [str(path) for path in Path(below).rglob("*") if path.is_file() and path.suffix != ".part"]
            else:
                files = self._files()
                found = [str(files.unstrip_protocol(path)) for path in files.find(below, refresh=True)]
        return sorted(path.removeprefix(f"{self._root}/") for path in found)

    def download(self, prefix: str, folder: Path) -> None:
        """Copy everything below `prefix` into `folder`, whole files only."""
        for key in self.keys(prefix):
            name = posixpath.relpath(key, posixpath.normpath(prefix))
            target = folder / name
            if not target.resolve().is_relative_to(folder.resolve()):
                raise Refused(f"`{key[:100]}` leads out of the folder of its run.")
            with _told():
                self._download(self.url(key), target)

    def _download(self, url: str, target: Path) -> None:
        if self._is_local:
            _write_file(target, Path(url))
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.part")
        self._files().get_file(url, str(unfinished))
        unfinished.replace(target)

    def _files(self) -> Any:
        import fsspec  # s3fs and its event loop are started only where a bucket is used

        files, _ = fsspec.core.url_to_fs(self._root, **({"use_listings_cache": False} | self._options))
        return files


def _write_file(target: Path, content: bytes | Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if isinstance(content, Path):
                with content.open("rb") as source:
                    shutil.copyfileobj(source, stream, BLOCK_BYTES)
            else:
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.chmod(0o644)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # Without it the rename itself may be lost with the power.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(SERVICE, _reason(error)) from error
    except ImportError as error:
        raise Refused(f"Storage of this kind needs a package that is not installed: {error.name or error}.") from error
    except ValueError as error:
        raise Refused(f"SHIPMATE_STORAGE_URL names a storage that cannot be used: {error}.") from error
    except far_errors() as error:
        raise Unavailable(SERVICE, f"did not answer ({type(error).__name__})") from error


def far_errors() -> tuple[type[Exception], ...]:
    """What S3 and HTTP clients raise besides OSError, as far as they are loaded."""
    names = (
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("boto3.exceptions", "Boto3Error"),
        ("aiohttp", "ClientError"),
    )
    return tuple(getattr(sys.modules[module], name) for module, name in names if module in sys.modules)


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, FileNotFoundError):
        return f"there is no {error.filename or 'such file or bucket'}"
    return f"could not be used ({error.strerror or type(error).__name__})"
