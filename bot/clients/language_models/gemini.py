"""Gemini through google-genai, its vendor's current package."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from bot.clients.language_models.provider import (
    Answer,
    ProviderFault,
    Request,
    Tokens,
    fault_of_status,
    seconds_of,
)
from bot.clients.language_models.structure import schema_instruction

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import GenerateContentConfig, GenerateContentResponse

UNREADABLE = "its answer cannot be read"
ROLES = {"user": "user", "assistant": "model"}
# Everything else that ends an answer is a refusal: SAFETY, RECITATION, BLOCKLIST, PROHIBITED_CONTENT …
ENDED = ("STOP", "MAX_TOKENS")


class GeminiProvider:
    name = "gemini"

    def __init__(self, model: str, key: str, base_url: str) -> None:
        self.model = model
        self._key = key
        self._base_url = base_url
        self._connecting = threading.Lock()
        self._connected: Client | None = None
        self._takes_schema = True

    def ask(self, request: Request) -> Answer:
        from google.genai import errors

        with _told(self.model):
            try:
                return _answer(self._generate(request))
            except errors.ClientError as error:
                # It knows a part of JSON schema only; where ours is beyond it, the instructions carry it.
                if request.schema is None or not self._takes_schema or not _about_the_schema(error):
                    raise
                self._takes_schema = False
                return _answer(self._generate(request))

    def stream(self, request: Request) -> Iterator[str | Tokens]:
        with _told(self.model):
            ended, tokens = False, None
            for chunk in self._client().models.generate_content_stream(
                model=self.model, contents=_contents(request), config=_config(request, self._takes_schema)
            ):
                reason = _end_of(chunk)
                ended = ended or reason is not None
                tokens = _tokens(chunk) or tokens
                if piece := _text(chunk):
                    yield piece
            if not ended:
                raise ProviderFault("malformed", "its answer broke off")
            if tokens:
                yield tokens

    def _generate(self, request: Request) -> "GenerateContentResponse":
        config = _config(request, self._takes_schema)
        return self._client().models.generate_content(model=self.model, contents=_contents(request), config=config)

    def warm(self) -> None:
        self._client()

    def check(self) -> None:
        with _told(self.model):
            self._client().models.get(model=self.model)

    def _client(self) -> "Client":
        with self._connecting:
            if self._connected is None:
                from google.genai import Client
                from google.genai.types import HttpOptions, HttpRetryOptions

                # Retries are ours: two layers of them would multiply. vertexai=False, because a variable of the
                # environment could turn the client towards another service.
                options = HttpOptions(
                    base_url=self._base_url, api_version="v1beta", retry_options=HttpRetryOptions(attempts=1)
                )
                self._connected = Client(api_key=self._key, vertexai=False, http_options=options)
            return self._connected


def _contents(request: Request) -> Any:
    return [{"role": ROLES[turn.role], "parts": [{"text": turn.text}]} for turn in request.turns]


def _config(request: Request, takes_schema: bool) -> "GenerateContentConfig":
    from google.genai.types import AutomaticFunctionCallingConfig, GenerateContentConfig, HttpOptions

    instructions = request.instructions
    structured: dict[str, Any] = {}
    if request.schema is not None:
        structured = {"response_mime_type": "application/json"}
        if takes_schema:
            structured["response_json_schema"] = dict(request.schema)
        else:
            instructions = f"{instructions}\n\n{schema_instruction(request.schema)}"
    return GenerateContentConfig(
        system_instruction=instructions, max_output_tokens=request.output_tokens,
        http_options=HttpOptions(timeout=int(request.timeout_seconds * 1000)),
        automatic_function_calling=AutomaticFunctionCallingConfig(disable=True), **structured,
    )  # fmt: skip


def _answer(answer: "GenerateContentResponse") -> Answer:
    reason = _end_of(answer)
    if reason is None:
        raise ProviderFault("malformed", UNREADABLE)
    return Answer(_text(answer), _tokens(answer), reason == "MAX_TOKENS")


def _end_of(answer: "GenerateContentResponse") -> str | None:
    """Why the answer ended; None while it goes on. Raises ProviderFault for a refusal."""
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        raise ProviderFault("silent", "it declined to answer")
    reasons = [candidate.finish_reason for candidate in answer.candidates or () if candidate.finish_reason]
    if not reasons:
        return None
    if reasons[0].value not in ENDED:
        raise ProviderFault("silent", "it declined to answer")
    return str(reasons[0].value)


def _text(answer: "GenerateContentResponse") -> str:
    """What was said, without the model's thoughts. Not `answer.text`, which warns about other parts."""
    contents = [candidate.content for candidate in (answer.candidates or ())[:1]]
    parts = [part for content in contents if content for part in content.parts or ()]
    return "".join(part.text for part in parts if part.text and not part.thought)


def _tokens(answer: "GenerateContentResponse") -> Tokens | None:
    counted = answer.usage_metadata
    if counted is None or not counted.prompt_token_count:
        return None
    # Thoughts are billed as output.
    written = (counted.candidates_token_count or 0) + (counted.thoughts_token_count or 0)
    return Tokens(counted.prompt_token_count, written)


def _about_the_schema(error: Any) -> bool:
    return error.code == 400 and re.search(r"schema|response_json|responseJson", str(error), re.IGNORECASE) is not None


@contextmanager
def _told(model: str) -> Iterator[None]:
    """The client's errors as ours."""
    import httpx2
    from google.genai import errors
    from pydantic import ValidationError

    try:
        yield
    except errors.APIError as error:
        headers = getattr(error.response, "headers", None) or {}
        status = 401 if "API_KEY_INVALID" in str(error.details) else error.code
        retry_after = seconds_of(headers.get("retry-after")) or _retry_delay(error.details)
        raise fault_of_status(status or 500, error.message or "", model, retry_after) from None
    except httpx2.TimeoutException:
        raise ProviderFault("slow", "it did not answer in time") from None
    except httpx2.TransportError:
        raise ProviderFault("unreachable", "it cannot be reached, or hung up") from None
    except (errors.UnknownApiResponseError, JSONDecodeError, ValidationError, TypeError, AttributeError, KeyError):
        # The last three: the client walks through whatever JSON came without looking at its shape.
        raise ProviderFault("malformed", UNREADABLE) from None


def _retry_delay(details: Any) -> float | None:
    """Google says how long to wait in the body: google.rpc.RetryInfo, "retryDelay": "34s"."""
    try:
        found = [part["retryDelay"] for part in details["error"]["details"] if "retryDelay" in part]
    except (KeyError, TypeError):
        return None
    return seconds_of(found[0].removesuffix("s")) if found and isinstance(found[0], str) else None
