"""Keeps the port Fetching: one source of documents a kind."""

from collections.abc import Callable, Mapping

from pipelines.errors import Refused
from pipelines.ports import Fetched


class Fetchers:
    def __init__(self, by_kind: Mapping[str, Callable[[str], Fetched]]) -> None:
        self._by_kind = by_kind

    def fetch(self, kind: str, origin: str) -> Fetched:
        fetcher = self._by_kind.get(kind)
        if fetcher is None:
            raise Refused(f"I cannot read documents of the kind {kind}.")
        return fetcher(origin)
