"""Files that people share in Slack, read with the bot's token."""

from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from slack_sdk.errors import SlackApiError

from bot.clients.slack import SlackConversation
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Fetched

SECONDS = 60
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
        try:
            file = self._conversation.call("files_info", file=file_id)["file"]
        except SlackApiError as error:
            if error.response["error"] not in GONE:
                raise
            raise Refused("This file is not in Slack any more, or I may not see it.") from None
        name = str(file.get("name") or file_id)
        if int(file.get("size") or 0) > self._largest_bytes:
            raise Refused(f"{name} has {file['size']:,} bytes; at most {self._largest_bytes:,} are read. Split it.")
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        return Fetched(name, self._read(name, url), str(file.get("permalink") or ""))

    def _read(self, name: str, url: str) -> bytes:
        if not self._ours(url):
            raise Refused(f"{name} does not lie in Slack, so I cannot read it. Try `/ask add` with its address.")
        request = Request(url, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310 - the host was checked
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                content: bytes = answer.read(self._largest_bytes + 1)
        except HTTPError as error:
            if error.code >= 500 or error.code == 429:
                raise Unavailable("Slack", f"did not hand out the file ({error.code})") from None
            raise Refused(f"Slack did not hand out {name} ({error.code}). `shipmate doctor` says what to do.") from None
        except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
            raise Unavailable("Slack", f"did not hand out the file ({type(error).__name__})") from None
        if len(content) > self._largest_bytes:
            raise Refused(f"{name} is larger than {self._largest_bytes:,} bytes. Split it.")
        return content

    def _ours(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.netloc == self._api_host:
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and host.endswith((".slack.com", ".slack-files.com"))


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
