"""Gemini through google-generativeai, whose vendor ended all support on 2025-11-30 (docs/decisions/0003-gemini.md).

Imported only where it was chosen: it holds protobuf at 5, and therefore has an extra and a lock of its own. It speaks
JSON over HTTP here; gRPC, its default, would bring a second transport to configure, proxy and test.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.clients.language_models.provider import Answer, ProviderFault, Request, Tokens, fault_of_status, seconds_of
from bot.clients.language_models.structure import schema_instruction

UNREADABLE = "its answer cannot be read"
ROLES = {"user": "user", "assistant": "model"}
STOPPED, CUT_OFF = 1, 2  # FinishReason in google.ai.generativelanguage


class GeminiLegacyProvider:
    name = "google-generativeai"

    def __init__(self, model: str, key: str, base_url: str) -> None:
        self.model = model
        self._key = key
        self._base_url = base_url
        self._connecting = threading.Lock()
        self._package: Any = None

    def ask(self, request: Request) -> Answer:
        with self._told():
            answer = self._model(request).generate_content(_contents(request), **_arguments(request))
            reason = _end_of(answer)
            if reason is None:
                raise ProviderFault("malformed", UNREADABLE)
            return Answer(_text(answer), _tokens(answer), reason == CUT_OFF)

    def stream(self, request: Request) -> Iterator[str | Tokens]:
        with self._told():
            ended, tokens = False, None
            for chunk in self._model(request).generate_content(_contents(request), stream=True, **_arguments(request)):
                ended = ended or _end_of(chunk) is not None
                tokens = _tokens(chunk) or tokens
                if piece := _text(chunk):
                    yield piece
            if not ended:
                raise ProviderFault("malformed", "its answer broke off")
            if tokens:
                yield tokens

    def warm(self) -> None:
        self._loaded()

    def check(self) -> None:
        with self._told():
            package = self._loaded()
            package.get_model(f"models/{self.model.removeprefix('models/')}", request_options=_options(10))

    def _model(self, request: Request) -> Any:
        instructions = request.instructions
        if request.schema is not None:
            # Its own idea of a schema is narrower than JSON schema and fails on $defs.
            instructions = f"{instructions}\n\n{schema_instruction(request.schema)}"
        return self._loaded().GenerativeModel(self.model, system_instruction=instructions)

    def _loaded(self) -> Any:
        with self._connecting:
            if self._package is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        import google.generativeai as package
                    except ImportError:
                        raise ProviderFault(
                            "forbidden", "its package is missing; install shipmate[google-generativeai]"
                        ) from None
                package.configure(api_key=self._key, transport="rest", client_options={"api_endpoint": self._base_url})
                self._package = package
            return self._package

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The client's errors as ours."""
        self._loaded()
        import requests
        from google.api_core import exceptions
        from google.protobuf.json_format import ParseError

        try:
            yield
        except (exceptions.DeadlineExceeded, exceptions.RetryError, requests.Timeout):
            raise ProviderFault("slow", "it did not answer in time") from None
        except exceptions.GoogleAPICallError as error:
            headers = getattr(error.response, "headers", None) or {}
            status = 401 if "API_KEY_INVALID" in str(error.details) else error.code
            raise fault_of_status(
                int(status or 500), error.message or "", self.model, seconds_of(headers.get("retry-after"))
            ) from None
        except requests.RequestException:
            raise ProviderFault("unreachable", "it cannot be reached, or hung up") from None
        except (ParseError, ValueError):
            # ValueError is what the transport raises for a stream that is no JSON array.
            raise ProviderFault("malformed", UNREADABLE) from None


def _contents(request: Request) -> list[dict[str, Any]]:
    return [{"role": ROLES[turn.role], "parts": [turn.text]} for turn in request.turns]


def _arguments(request: Request) -> dict[str, Any]:
    config: dict[str, Any] = {"max_output_tokens": request.output_tokens}
    if request.schema is not None:
        config["response_mime_type"] = "application/json"
    return {"generation_config": config, "request_options": _options(request.timeout_seconds)}


def _options(seconds: float) -> dict[str, Any]:
    # Retries are ours: two layers of them would multiply.
    return {"timeout": seconds, "retry": None}


def _end_of(answer: Any) -> int | None:
    """Why the answer ended; None while it goes on. Raises ProviderFault for a refusal."""
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        raise ProviderFault("silent", "it declined to answer")
    reasons = [int(candidate.finish_reason) for candidate in answer.candidates if candidate.finish_reason]
    if not reasons:
        return None
    if reasons[0] not in (STOPPED, CUT_OFF):
        raise ProviderFault("silent", "it declined to answer")
    return reasons[0]


def _text(answer: Any) -> str:
    return "".join(part.text for candidate in answer.candidates[:1] for part in candidate.content.parts)


def _tokens(answer: Any) -> Tokens | None:
    counted = answer.usage_metadata
    if not counted or not counted.prompt_token_count:
        return None
    return Tokens(counted.prompt_token_count, counted.candidates_token_count)
