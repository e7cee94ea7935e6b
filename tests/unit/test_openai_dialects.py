"""Servers that speak OpenAI's protocol differently: what each does not take is found out once and remembered."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.clients.language_models.openai import OpenAiProvider
from bot.clients.language_models.provider import ProviderFault, Request, Tokens, Turn

SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}
ANSWER = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"summary": "x"}'}}


class Server:
    """Refuses requests for which `refuses` gives a status and a sentence; else sends `body`."""

    def __init__(self) -> None:
        self.refuses: Any = lambda _asked: None
        self.body: Any = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [ANSWER]}
        self.asked: list[dict[str, Any]] = []
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                place.asked.append(asked)
                refusal = place.refuses(asked)
                status, sent = (
                    (200, place.body) if refusal is None else (refusal[0], {"error": {"message": refusal[1]}})
                )
                self.send_response(status)
                kind = "text/event-stream" if isinstance(sent, str) else "application/json"
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write((sent if isinstance(sent, str) else json.dumps(sent)).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def forms(self) -> list[str]:
        return [asked.get("response_format", {"type": "text"})["type"] for asked in self.asked]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def provider(server: Server) -> OpenAiProvider:
    return OpenAiProvider("m", None, server.url)


def request(schema: Any = SCHEMA) -> Request:
    return Request("ask", "Answer.", (Turn("user", "why?"),), schema, 100, 10)


def only(*taken: str) -> Any:
    def refuses(asked: dict[str, Any]) -> tuple[int, str] | None:
        form = asked.get("response_format", {"type": "text"})["type"]
        return None if form in taken else (400, f"response_format of type {form} is not supported")

    return refuses


def test_the_strictest_form_is_tried_first(server: Server, provider: OpenAiProvider) -> None:
    provider.ask(request())
    sent = server.asked[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("taken", "forms"),
    [(("json_object", "text"), ["json_schema", "json_object", "json_object"]),
     (("text",), ["json_schema", "json_object", "text", "text"])],
)  # fmt: skip
def test_a_form_that_is_refused_is_not_tried_again(
    server: Server, provider: OpenAiProvider, taken: tuple[str, ...], forms: list[str]
) -> None:
    server.refuses = only(*taken)
    provider.ask(request())
    provider.ask(request())
    assert server.forms() == forms
    assert "JSON schema" in server.asked[-1]["messages"][0]["content"]


def test_a_refusal_for_another_reason_is_no_reason_to_try_other_forms(server: Server, provider: OpenAiProvider) -> None:
    server.refuses = lambda _asked: (400, "this model's maximum context length is 8192 tokens")
    with pytest.raises(ProviderFault, match="maximum context length"):
        provider.ask(request())
    assert server.forms() == ["json_schema"]


def test_plain_text_asks_for_no_form(server: Server, provider: OpenAiProvider) -> None:
    provider.ask(request(schema=None))
    assert server.forms() == ["text"]


def test_other_servers_get_the_name_of_the_limit_that_they_know(server: Server, provider: OpenAiProvider) -> None:
    provider.ask(request())
    assert server.asked[0]["max_tokens"] == 100
    official = OpenAiProvider("m", "k", "https://api.openai.com/v1")._arguments(request(), "text")
    assert official["max_completion_tokens"] == 100


def events(*pieces: str) -> str:
    chunks = [
        {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
         "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces
    ]  # fmt: skip
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)


END = (
    'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",'
    '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


def test_a_server_that_does_not_count_streams_is_asked_without(server: Server, provider: OpenAiProvider) -> None:
    server.refuses = lambda asked: (422, "extra fields: stream_options") if "stream_options" in asked else None
    server.body = events("one ", "two") + END
    assert list(provider.stream(request(None))) == ["one ", "two"]
    assert list(provider.stream(request(None))) == ["one ", "two"]
    assert ["stream_options" in asked for asked in server.asked] == [True, False, False]


def test_a_stream_without_an_end_broke_off(server: Server, provider: OpenAiProvider) -> None:
    server.body = events("one ", "two")
    with pytest.raises(ProviderFault, match="broke off"):
        list(provider.stream(request(None)))


def test_tokens_come_last(server: Server, provider: OpenAiProvider) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    counted = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    server.body = events("one") + END.replace("data: [DONE]\n\n", f"data: {json.dumps(counted)}\n\ndata: [DONE]\n\n")
    assert list(provider.stream(request(None))) == ["one", Tokens(7, 2)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "null",
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        7,
        "text",
    ],
)
def test_an_answer_of_another_shape_is_told_and_nothing_worse(
    server: Server, provider: OpenAiProvider, body: Any
) -> None:
    server.body = body
    with pytest.raises(ProviderFault) as caught:
        provider.ask(request())
    assert caught.value.fault == "malformed"


def test_a_refusal_of_the_model_is_told_as_one(server: Server, provider: OpenAiProvider) -> None:
    refused = {"role": "assistant", "content": None, "refusal": "I cannot."}
    server.body = {**server.body, "choices": [{**ANSWER, "message": refused}]}
    with pytest.raises(ProviderFault, match="declined"):
        provider.ask(request())


def test_no_part_of_the_key_is_told(server: Server) -> None:
    server.refuses = lambda _asked: (401, "Incorrect API key provided: sk-secr*****cret.")
    with pytest.raises(ProviderFault) as caught:
        OpenAiProvider("m", "sk-secret-secret", server.url).ask(request())
    assert "sk-" not in str(caught.value)
