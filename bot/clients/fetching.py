"""Fetches one page for the knowledge index, from addresses that everybody may reach.

Whoever may type a URL here could otherwise read what only the bot can reach: metadata services, the cluster's own
pages. Names are resolved once, the address is checked, and that very address is connected to; each redirect anew.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from pipelines.errors import Refused, Unavailable

MOST_BYTES = 20 << 20
MOST_REDIRECTS = 5
TIMEOUT_SECONDS = 30  # for all of it
BLOCK_BYTES = 64 << 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` is where the redirects ended."""

    content: bytes
    name: str
    media_type: str
    url: str


class PageFetcher:
    def __init__(self, allow_private: bool = False, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """`allow_private` opens private and loopback addresses too, for wikis inside the house."""
        self._allow_private = allow_private
        self._timeout_seconds = timeout_seconds

    def fetch(self, url: str) -> Fetched:
        """Raises Refused for what will not be fetched, Unavailable for a server that does not answer now."""
        deadline = time.monotonic() + self._timeout_seconds
        for _ in range(MOST_REDIRECTS + 1):
            parts = _split(url)
            try:
                answer = self._ask(parts, deadline)
            except (OSError, http.client.HTTPException) as error:
                reason = "took too long" if isinstance(error, TimeoutError) else "does not answer"
                raise Unavailable(parts.hostname or "the page", reason) from error
            if isinstance(answer, Fetched):
                return answer
            url = urljoin(url, answer)
        raise Refused(f"{_short(url)} redirects more than {MOST_REDIRECTS} times.")

    def _ask(self, parts: SplitResult, deadline: float) -> Fetched | str:
        """The page, or where it says that the page is."""
        connection = self._connect(parts, deadline)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            # Compressed answers could unpack to anything.
            headers = {
                "User-Agent": "Shipmate",
                "Accept": "text/html, text/*, application/*",
                "Accept-Encoding": "identity",
            }
            connection.request("GET", re.sub(r"[^\x21-\x7e]", lambda found: _quoted(found[0]), target), headers=headers)
            response = connection.getresponse()
            if response.status in REDIRECTS and (place := response.getheader("Location")):
                return place
            _judge(response.status, parts)
            media_type = response.getheader("Content-Type") or ""
            content = _read(response, parts, deadline)
        finally:
            connection.close()
        name = PurePosixPath(unquote(parts.path)).name
        return Fetched(content, name or (parts.hostname or ""), media_type, parts.geturl())

    def _connect(self, parts: SplitResult, deadline: float) -> http.client.HTTPConnection:
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        address = self._address(host, port)
        raw = socket.create_connection((address, port), timeout=_left(deadline))
        connection = http.client.HTTPConnection(host, port, timeout=_left(deadline))
        connection.sock = raw
        if secure:
            connection = http.client.HTTPSConnection(host, port, timeout=_left(deadline))
            connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        return connection

    def _address(self, host: str, port: int) -> str:
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise Refused(f"There is no host {host[:100]}. Check the address.") from error
        if not self._allow_private:
            for address in found:
                if not is_public(address):
                    raise Refused(
                        f"{host[:100]} is not a public address. An admin can allow those with "
                        "SHIPMATE_KNOWLEDGE_PRIVATE_ADDRESSES=true; or share the page as a file."
                    )
        return found[0]


def is_public(address: str) -> bool:
    """Whether anybody on the internet could reach it; an IPv4 address inside an IPv6 one is judged as itself."""
    try:
        plain = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(plain, ipaddress.IPv6Address):
        inner = plain.ipv4_mapped or plain.sixtofour or (plain.teredo[1] if plain.teredo else None)
        if plain in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(plain) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return plain.is_global and not plain.is_multicast


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise Refused(f"`{_short(url)}` is no address of a page. Type one that begins with https://.")
    if parts.username or parts.password:
        raise Refused("Leave name and password out of the address; pages behind a login cannot be read.")
    return parts


def _judge(status: int, parts: SplitResult) -> None:
    host = parts.hostname or "the page"
    if status in (401, 403, 407):
        raise Refused(f"{host} wants a login for this page. Share it as a file instead.")
    if status in (404, 410):
        raise Refused(f"There is no such page at {host}. Check the address.")
    if status == 429 or status >= 500:
        raise Unavailable(host, f"answered with status {status}")
    if status != 200:
        raise Refused(f"{host} answered with status {status} instead of a page.")


def _read(response: http.client.HTTPResponse, parts: SplitResult, deadline: float) -> bytes:
    content = bytearray()
    while block := response.read(BLOCK_BYTES):
        content += block
        if len(content) > MOST_BYTES:
            raise Refused(
                f"The page at {parts.hostname} is larger than {MOST_BYTES >> 20} MB. Share a part of it as a file."
            )
        _left(deadline)
    return bytes(content)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _quoted(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="replace"))


def _short(url: str) -> str:
    return re.sub(r"[\x00-\x20`]", "", url)[:100]
