"""Keeps the port Fetching: pages, files of Slack, and files of the watched folders, one reader a kind."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot.catalogue.knowledge import WatchedSource
from bot.clients.fetching import PageFetcher
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Fetched

# The converter goes by the ending of a name first; pages often have none.
_ENDINGS: Mapping[str, str] = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf",
    "application/x-ipynb+json": ".ipynb", "text/markdown": ".md", "text/plain": ".txt",
}  # fmt: skip


class Origins:
    def __init__(self, by_kind: Mapping[str, Callable[[str], Fetched]]) -> None:
        self._by_kind = by_kind

    def fetch(self, kind: str, origin: str) -> Fetched:
        reader = self._by_kind.get(kind)
        if reader is None:
            raise Refused(f"I cannot read documents of the kind {kind}.")
        return reader(origin)


def page_reader(pages: PageFetcher) -> Callable[[str], Fetched]:
    def fetch(url: str) -> Fetched:
        page = pages.fetch(url)
        ending = _ENDINGS.get(page.media_type.partition(";")[0].strip().lower(), "")
        name = page.name if Path(page.name).suffix.lower() == ending or not ending else f"{page.name}{ending}"
        return Fetched(name, page.content, page.url)

    return fetch


class FolderReader:
    """A path is a file of a watched folder, or nothing that may be read: who asks is not who owns this machine."""

    def __init__(self, folders: Sequence[WatchedSource], largest_bytes: int) -> None:
        self._folders = folders
        self._largest_bytes = largest_bytes

    def fetch(self, path: str) -> Fetched:
        for folder in self._folders:
            root = Path(folder.place).resolve()
            found = (root / path).resolve()
            if found.is_relative_to(root) and found.is_file():
                relative = found.relative_to(root).as_posix()
                return Fetched(
                    found.name, self._read(found), f"{folder.link.rstrip('/')}/{relative}" if folder.link else ""
                )
        known = ", ".join(folder.name for folder in self._folders) or "none are named yet"
        raise Refused(
            f"There is no file {path[:200]} in the watched folders ({known}), which shipmate.yaml names under "
            "`knowledge.folders`. Or give an address that begins with https://."
        )

    def _read(self, file: Path) -> bytes:
        try:
            if file.stat().st_size > self._largest_bytes:
                raise Refused(f"{file.name} is larger than {self._largest_bytes:,} bytes. Split it.")
            return file.read_bytes()
        except OSError as error:
            raise Unavailable("the folder", f"{file.name} cannot be read ({error.strerror})") from None
