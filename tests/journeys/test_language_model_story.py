"""The whole bot with a language model beside it: asked, booked, slow, and gone."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from pipelines.prompts import Prompt

PROMPT = Prompt("triage", "Explain.", "<<<DATA 1: log\nNo space left on device\n<<<END 1")


class Report(BaseModel):
    summary: str


class Model:
    """A server that speaks Chat Completions; while `held` is set it does not answer."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.asked = threading.Event()
        self.closing = threading.Event()
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                place.asked.set()
                if place.held.is_set():
                    place.closing.wait(300)
                    self.close_connection = True
                    return
                message = {"role": "assistant", "content": '{"summary": "The disk is full."}'}
                usage = {"prompt_tokens": 4000, "completion_tokens": 500, "total_tokens": 4500}
                body = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "usage": usage,
                        "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    made = Model()
    monkeypatch.setenv("OPENAI_BASE_URL", made.url)
    yield made
    made.close()


def write(ship: Any) -> Any:
    return ship.bot.voice.model.complete(PROMPT, Report, lambda: Report(summary="extracted"))


def test_what_was_written_stands_in_the_books_also_after_a_restart(model, ship):
    assert write(ship).value.summary == "The disk is full."
    ship.restart()
    assert write(ship).source == "openai gpt-4o-mini"
    space = ship.workspace
    vera = space.person("vera")
    space.type("/shipmate usage", as_=vera, channel="#ml")
    answer = space.wait_for_ephemeral(containing="What language models were used for", as_=vera, channel="#ml")
    assert "Asked: openai gpt-4o-mini" in answer.plain
    assert "1,991,000 are left" in answer.plain
    assert "triage" in answer.plain
    assert "9,000" in answer.plain
    with urllib.request.urlopen(f"http://127.0.0.1:{ship.bot.server.port}/metrics", timeout=60) as page:
        metrics = page.read().decode()
    assert (
        'shipmate_language_model_tokens_total{direction="output",feature="triage",provider="openai"} 500.0' in metrics
    )


def test_a_bot_that_stops_does_not_wait_for_its_model(model, ship):
    model.held.set()
    written: list[Any] = []
    voice = ship.bot.voice
    writing = threading.Thread(
        target=lambda: written.append(voice.model.complete(PROMPT, Report, lambda: Report(summary="extracted")))
    )
    writing.start()
    assert model.asked.wait(120)
    ship.stop()
    writing.join(120)  # the model would hold it for five minutes
    assert not writing.is_alive()
    assert written[0].value.summary == "extracted"
    assert "the bot is stopping" in written[0].notice


def test_with_the_model_gone_the_same_report_comes_without_it(model, ship):
    model.close()
    done = write(ship)
    assert done.value.summary == "extracted"
    assert done.notice.startswith("Written without a language model: gpt-4o-mini: it cannot be reached")
