"""Refusals in Slack's own words."""

from typing import Any


class SlackError(Exception):
    """Answers `{"ok": false, "error": code, …}`; `more` goes beside it, `status` and `headers` only for 429 and 5xx."""

    def __init__(self, code: str, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.more = more
