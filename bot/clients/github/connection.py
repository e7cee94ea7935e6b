"""One way to ask GitHub: tried again where that helps, its refusals in plain words."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from pipelines.errors import Refused, Unavailable

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.Repository import Repository

T = TypeVar("T")
SERVICE = "GitHub"
TRIES = 3
# Longer waits belong to the workflow, which lets go of its thread meanwhile.
LONGEST_WAIT_SECONDS = 5.0
PAUSE_SECONDS = 0.5
# Without a Retry-After: docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
SECONDARY_SECONDS = 60.0
ASIDE = "The token needs to see this repository: `shipmate doctor` says what to do."


class Connection:
    """`open_client` answers a github.Github; it is called on first use, and PyGithub is imported with it.

    Every thread has a client of its own: PyGithub keeps the address of the next request in its one connection, and of
    two threads that share it both may read the answer of one.
    """

    def __init__(self, open_client: "Callable[[], Github]", sleep: Callable[[float], None] = time.sleep) -> None:
        self._open_client = open_client
        self._local = threading.local()
        self._login: str | None = None
        self._sleep = sleep

    @property
    def client(self) -> "Github":
        found: Github | None = getattr(self._local, "client", None)
        if found is None:
            found = self._local.client = self._open_client()
        return found

    def repository(self, name: str) -> "Repository":
        """Without a request: the client is a lazy one."""
        return self.client.get_repo(name)

    def read(self, what: str, ask: Callable[[], T]) -> T:
        """What `ask` answers; after a failure of GitHub's own it is asked again. `what` is named in a refusal."""
        for attempt in range(1, TRIES + 1):
            try:
                return self.write(what, ask)
            except Unavailable as error:
                wait = error.retry_after_seconds or PAUSE_SECONDS * attempt
                if attempt == TRIES or wait > LONGEST_WAIT_SECONDS:
                    raise
                self._sleep(wait)
        raise AssertionError("the loop above returns or raises")

    def write(self, what: str, ask: Callable[[], T]) -> T:
        """The same, asked once: what changes something is tried again by those who look first."""
        from github import GithubException
        from requests import RequestException

        try:
            return ask()
        except GithubException as error:
            raise _plain(what, error) from error
        except RequestException as error:
            raise Unavailable(SERVICE, f"it did not answer ({type(error).__name__})") from error

    def login(self) -> str:
        """Who we are there; empty for an app's token, which may not ask."""
        if self._login is None:
            try:
                self._login = str(self.read("the token's owner", lambda: self.client.get_user().login))
            except Refused:
                self._login = ""
        return self._login


def connect(token: str, api_url: str, write_pause_seconds: float = 1.0) -> "Github":
    """PyGithub's client. Retries stand a level above; GitHub asks for a second between writes, not between reads."""
    from github import Auth, Github

    return Github(
        auth=Auth.Token(token) if token else None, base_url=api_url, timeout=15, retry=None,
        seconds_between_requests=0, seconds_between_writes=write_pause_seconds, per_page=100, lazy=True,
    )  # fmt: skip


def missing(error: "GithubException") -> bool:
    return error.status in (404, 410)


def _plain(what: str, error: "GithubException") -> Exception:
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    message = error.data.get("message", "") if isinstance(error.data, Mapping) else str(error.data)
    status, said = error.status, str(message or error.message or "")[:300]
    if status == 429 or (status == 403 and ("rate limit" in said.lower() or "retry-after" in headers)):
        return Unavailable(SERVICE, "its rate limit is used up", _wait(headers))
    if status == 401:
        return Refused(f"GitHub does not know the bot's token. Set GITHUB_TOKEN anew. {ASIDE}")
    if status == 403:
        return Refused(f"GitHub does not let the bot at {what}: {said}. {ASIDE}")
    if status in (404, 410):
        return Refused(f"GitHub shows no {what}: it is gone, or the bot may not see it. {ASIDE}")
    if status in (400, 405, 409, 422):
        return Refused(f"GitHub refused {what}: {said}. Look there, then try again.")
    return Unavailable(SERVICE, f"it answered {status}: {said}", _wait(headers) if "retry-after" in headers else None)


def _wait(headers: Mapping[str, str]) -> float:
    after = headers.get("retry-after", "")
    if after.replace(".", "", 1).isdecimal():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(1.0, int(reset) - time.time())
    return SECONDARY_SECONDS
