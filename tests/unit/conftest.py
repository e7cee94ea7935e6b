"""A wire that answers as Slack does, for tests of single answers; whole stories run against the sandbox."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest


class SlackWire:
    """`answers` maps a method to its answer, or to a function of the arguments; a number is an HTTP status."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.calls: list[str] = []
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, answer = wire.answer(self.path.rpartition("/")[2], body)
                self.send_response(status)
                for name, value in wire.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST  # noqa: N815 - the name is the server's

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/"

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        method, _, query = path.partition("?")
        self.calls.append(method)
        found = self.answers.get(method, {"ok": False, "error": "unknown_method"})
        if callable(found):
            found = found(_sent(query, body))
        if isinstance(found, int):
            return found, {"ok": False, "error": "internal_error"}
        return 200, {"ok": "error" not in found, **found}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _sent(query: str, body: bytes) -> dict[str, Any]:
    if body.startswith(b"{"):
        sent: dict[str, Any] = json.loads(body)
        return sent
    return {name: values[0] for name, values in parse_qs(query or body.decode()).items()}


@pytest.fixture
def slack_wire() -> Iterator[SlackWire]:
    wire = SlackWire()
    yield wire
    wire.close()
