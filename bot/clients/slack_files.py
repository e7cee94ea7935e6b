"""Files that people share in Slack, read with the bot's token."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from slack_sdk.errors import SlackApiError

from bot.clients.slack import SlackConversation
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Fetched

SECONDS = 60
PIECE = 1 << 20
GONE = frozenset({"file_not_found", "file_deleted", "not_visible", "access_denied"})


class SlackFiles:
    """The token goes to Slack's own hosts only, and to that of `api_url`, which may be the sandbox."""

    def __init__(self, conversation: SlackConversation, token: str, api_url: str, largest_bytes: int) -> None:
        self._conversation = conversation
        self._token = token
        self._api_host = urlsplit(api_url).netloc
        self._largest_bytes = largest_bytes
        local = urlsplit(api_url).scheme == "http"
        # A redirect would take the token along to wherever it leads.
        self._opener = build_opener(_NoRedirects, *([ProxyHandler({})] if local else []))

    def fetch(self, file_id: str) -> Fetched:
        """Raises Refused for what is gone, lies elsewhere or is too large."""
        name, url, link = self._found(file_id)
        with self._reading(name, url) as pieces:
            return Fetched(name, b"".join(pieces), link)

    def save(self, file_id: str, path: Path) -> str:
        """Bring the file to `path` piece by piece; answers its name. Raises the same."""
        name, url, _ = self._found(file_id)
        with path.open("wb") as kept, self._reading(name, url) as pieces:
            for piece in pieces:
                kept.write(piece)
        return name

    def _found(self, file_id: str) -> tuple[str, str, str]:
        """Its name, where its bytes lie, and where people open it."""
        try:
            file = self._conversation.call("files_info", file=file_id)["file"]
        except SlackApiError as error:
            if error.response["error"] not in GONE:
                raise
            raise Refused("This file is not in Slack any more, or I may not see it.") from None
        name = str(file.get("name") or file_id)
        if int(file.get("size") or 0) > self._largest_bytes:
            raise Refused(f"{name} has {file['size']:,} bytes; at most {self._largest_bytes:,} are read. Split it.")
        return (
            name,
            str(file.get("url_private_download") or file.get("url_private") or ""),
            str(file.get("permalink") or ""),
        )

    @contextmanager
    def _reading(self, name: str, url: str) -> Iterator[Iterator[bytes]]:
        if not self._ours(url):
            raise Refused(f"{name} does not lie in Slack, so I cannot read it. Share the file itself.")
        request = Request(url, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310 - the host was checked
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                yield self._bounded(name, answer)
        except HTTPError as error:
            if error.code >= 500 or error.code == 429:
                raise Unavailable("Slack", f"did not hand out the file ({error.code})") from None
            raise Refused(f"Slack did not hand out {name} ({error.code}). `shipmate doctor` says what to do.") from None
        except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
            raise Unavailable("Slack", f"did not hand out the file ({type(error).__name__})") from None

    def _bounded(self, name: str, answer: IO[bytes]) -> Iterator[bytes]:
        taken = 0
        while piece := answer.read(PIECE):
            taken += len(piece)
            if taken > self._largest_bytes:
                raise Refused(f"{name} is larger than {self._largest_bytes:,} bytes. Split it.")
            yield piece

    def _ours(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.netloc == self._api_host:
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and host.endswith((".slack.com", ".slack-files.com"))


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
