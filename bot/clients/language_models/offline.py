"""No language model: the same reports from signatures, statistics and extraction."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from pydantic import BaseModel

from pipelines.errors import Unavailable
from pipelines.ports import Completion
from pipelines.prompts import Prompt

V = TypeVar("V", bound=BaseModel)

OFFLINE = "offline"


class OfflineLanguageModel:
    """Keeps LanguageModel where none is configured. Nothing leaves, and nothing is missing: there is no notice."""

    available = False

    def complete(self, _prompt: Prompt, _schema: type[V], offline: Callable[[], V]) -> Completion[V]:
        return Completion(offline(), OFFLINE)

    def stream(self, _prompt: Prompt) -> Iterator[str]:
        raise Unavailable("the language model", "none is configured")
