"""OpenAI, and every server that speaks its Chat Completions: vLLM, Ollama, llama.cpp, a gateway.

Servers differ in how they hold an answer to a schema. The strictest form is tried first; where a server rejects it the
next is tried, and what it takes is remembered for as long as the process lives.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, Literal

from bot.clients.language_models.provider import (
    Answer,
    ProviderFault,
    Request,
    Tokens,
    fault_of_status,
    seconds_of,
)
from bot.clients.language_models.structure import schema_instruction, strict_schema

if TYPE_CHECKING:
    from openai import OpenAI, Stream
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

Form = Literal["json_schema", "json_object", "text"]
FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
CONNECT_SECONDS = 10
# How servers word that they do not take a form; the parameter's name stands in nearly all of it.
_ABOUT_THE_FORM = re.compile(r"response_format|json_schema|json_object|schema|grammar|structured|guided", re.I)
_ABOUT_COUNTING = re.compile(r"stream_options|include_usage", re.I)
OFFICIAL = "https://api.openai.com/"
UNREADABLE = "its answer cannot be read"
NO_KEY = "none"  # local servers want none, the client insists on one


class OpenAiProvider:
    name = "openai"

    def __init__(self, model: str, key: str | None, base_url: str) -> None:
        self.model = model
        self._key = key or NO_KEY
        self._base_url = base_url
        self._connecting = threading.Lock()
        self._connected: OpenAI | None = None
        # OpenAI's own name for the limit refuses the old one on newer models; most other servers know only the old.
        self._limit = "max_completion_tokens" if base_url.startswith(OFFICIAL) else "max_tokens"
        self._form: Form = FORMS[0]
        self._counts_streams = True

    def ask(self, request: Request) -> Answer:
        with _told(self.model):
            return _answer(self._complete(request))

    def stream(self, request: Request) -> Iterator[str | Tokens]:
        with _told(self.model), self._open(request) as stream:
            ended = False
            for chunk in stream:
                if chunk.choices:
                    ended = ended or chunk.choices[0].finish_reason is not None
                    if piece := chunk.choices[0].delta.content:
                        yield piece
                if chunk.usage:
                    yield Tokens(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
            if not ended:
                raise ProviderFault("malformed", "its answer broke off")

    def warm(self) -> None:
        self._client()

    def check(self) -> None:
        with _told(self.model):
            known = [model.id for model in self._client().models.list()]
        if self.model not in known:
            nearest = ", ".join(sorted(known)[:5]) or "none at all"
            raise ProviderFault("no-such-model", f"it knows no model {self.model}, but {nearest}")

    def _complete(self, request: Request) -> "ChatCompletion":
        """Asked in the strictest form that this server is known to take, then in the next ones."""
        from openai import APIStatusError

        while True:
            form = self._form if request.schema is not None else "text"
            try:
                completion: ChatCompletion = self._create(self._arguments(request, form))
                return completion
            except APIStatusError as error:
                if form == "text" or not _says(error, _ABOUT_THE_FORM):
                    raise
                self._form = FORMS[FORMS.index(form) + 1]

    def _open(self, request: Request) -> "Stream[ChatCompletionChunk]":
        from openai import APIStatusError

        arguments = self._arguments(request, "text") | {"stream": True}
        counting = {"stream_options": {"include_usage": True}}
        stream: Stream[ChatCompletionChunk]
        try:
            stream = self._create(arguments | (counting if self._counts_streams else {}))
        except APIStatusError as error:
            if not (self._counts_streams and _says(error, _ABOUT_COUNTING)):
                raise
            self._counts_streams = False
            stream = self._create(arguments)
        return stream

    def _create(self, arguments: dict[str, Any]) -> Any:
        return self._client().chat.completions.create(**arguments)

    def _arguments(self, request: Request, form: Form) -> dict[str, Any]:
        instructions = request.instructions
        if request.schema is not None and form != "json_schema":
            instructions = f"{instructions}\n\n{schema_instruction(request.schema)}"
        said = [{"role": turn.role, "content": turn.text} for turn in request.turns]
        arguments: dict[str, Any] = {
            "model": self.model, "messages": [{"role": "system", "content": instructions}, *said],
            self._limit: request.output_tokens, "timeout": request.timeout_seconds,
        }  # fmt: skip
        if request.schema is not None and form != "text":
            arguments["response_format"] = _response_format(request.schema, form)
        return arguments

    def _client(self) -> "OpenAI":
        with self._connecting:
            if self._connected is None:
                from openai import OpenAI

                # Retries are ours: two layers of them would multiply.
                self._connected = OpenAI(api_key=self._key, base_url=self._base_url, max_retries=0)
            return self._connected


def _response_format(schema: Mapping[str, Any], form: Form) -> dict[str, Any]:
    if form == "json_object":
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": strict_schema(schema), "strict": True},
    }


def _answer(completion: "ChatCompletion") -> Answer:
    try:
        choice = completion.choices[0]
        said = choice.message.content or ""
        refused = choice.message.refusal or choice.finish_reason == "content_filter"
        usage = completion.usage
        tokens = Tokens(usage.prompt_tokens, usage.completion_tokens) if usage else None
    except (AttributeError, TypeError, IndexError):
        # The client builds its values without checking what the server sent.
        raise ProviderFault("malformed", UNREADABLE) from None
    if refused:
        raise ProviderFault("silent", "it declined to answer")
    return Answer(said, tokens, choice.finish_reason == "length")


def _says(error: Any, about: re.Pattern[str]) -> bool:
    return error.status_code in (400, 422, 500, 501) and about.search(str(error)) is not None


@contextmanager
def _told(model: str) -> Iterator[None]:
    """The client's errors as ours."""
    import httpx2
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        # 401 and its like quote a part of the key, so only the sentence behind a rejection is passed on.
        retry_after = seconds_of(error.response.headers.get("retry-after"))
        raise fault_of_status(error.status_code, error.message, model, retry_after) from None
    except (openai.APITimeoutError, httpx2.TimeoutException):
        raise ProviderFault("slow", "it did not answer in time") from None
    except openai.APIResponseValidationError:
        raise ProviderFault("malformed", UNREADABLE) from None
    except (openai.APIConnectionError, httpx2.TransportError):
        raise ProviderFault("unreachable", "it cannot be reached, or hung up") from None
    except (openai.OpenAIError, JSONDecodeError):
        raise ProviderFault("malformed", UNREADABLE) from None
