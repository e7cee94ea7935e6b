"""What Gemini says besides an answer: refusals, thoughts, limits, and how long to wait."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.clients.language_models.gemini import GeminiProvider
from bot.clients.language_models.provider import Answer, ProviderFault, Request, Tokens, Turn

USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 5, "totalTokenCount": 14}


def candidate(reason: str, *parts: dict[str, Any]) -> dict[str, Any]:
    said = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"index": 0, "content": said, "finishReason": reason}], "usageMetadata": USAGE}


class Server:
    def __init__(self) -> None:
        self.status = 200
        self.refuses_schemas = False
        self.body: Any = candidate("STOP", {"text": "It is full."})
        self.asked: list[dict[str, Any]] = []
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                place.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if place.refuses_schemas and "responseJsonSchema" in place.asked[-1]["generationConfig"]:
                    self.send_response(400)
                    self.end_headers()
                    self.wfile.write(b'{"error": {"code": 400, "message": "Invalid JSON schema: $ref"}}')
                    return
                self.send_response(place.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(place.body).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def ask(server: Server) -> Answer:
    return provider(server).ask(asked())


def provider(server: Server) -> GeminiProvider:
    return GeminiProvider("gemini-3.5-flash-lite", "key", server.url)


def asked() -> Request:
    schema = {"type": "object", "properties": {"summary": {"type": "string"}}}
    return Request("ask", "Answer.", (Turn("user", "why?"),), schema, 100, 10)


def fault(server: Server) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        ask(server)
    return caught.value


def test_the_schema_and_the_limit_are_sent(server: Server) -> None:
    ask(server)
    config = server.asked[0]["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["properties"] == {"summary": {"type": "string"}}
    assert config["maxOutputTokens"] == 100


def test_thoughts_are_not_shown_but_paid_for(server: Server) -> None:
    server.body = candidate("STOP", {"text": "Let me think.", "thought": True}, {"text": "It is full."})
    assert ask(server) == Answer("It is full.", Tokens(7, 7))


def test_an_answer_at_its_limit_is_marked(server: Server) -> None:
    server.body = candidate("MAX_TOKENS", {"text": '{"summary": "It'})
    assert ask(server).cut_off


@pytest.mark.parametrize(
    "body", [candidate("SAFETY"), candidate("RECITATION", {"text": "x"}), {"promptFeedback": {"blockReason": "SAFETY"}}]
)
def test_a_refusal_is_no_failure_of_the_model(server: Server, body: Any) -> None:
    server.body = body
    assert (fault(server).fault, fault(server).of_the_request) == ("silent", True)


@pytest.mark.parametrize("body", [{}, {"candidates": []}, {"candidates": [{}]}, [], "text", 7])
def test_an_answer_of_another_shape_is_told_and_nothing_worse(server: Server, body: Any) -> None:
    server.body = body
    assert fault(server).fault == "malformed"


def test_how_long_to_wait_stands_in_the_body(server: Server) -> None:
    server.status = 429
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}
    server.body = {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": [wait]}}
    assert fault(server).retry_after_seconds == 34


def test_a_wrong_key_is_told_although_google_calls_it_a_bad_request(server: Server) -> None:
    server.status = 400
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    server.body = {"error": {"code": 400, "message": "API key not valid.", "details": [reason]}}
    assert fault(server).fault == "forbidden"


def test_a_schema_beyond_it_goes_into_the_instructions_from_then_on(server: Server) -> None:
    server.refuses_schemas = True
    model = provider(server)
    model.ask(asked())
    model.ask(asked())
    assert ["responseJsonSchema" in sent["generationConfig"] for sent in server.asked] == [True, False, False]
    assert "JSON schema" in json.dumps(server.asked[-1]["systemInstruction"])
