"""One sentence about the whole. A language model may word it; every number in it has to be one of ours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from pipelines.digest.values import Section
from pipelines.ports import LanguageModel
from pipelines.prompts import Block, build_prompt

LONGEST = 300
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_COUNTING = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS = {word: str(number) for number, word in enumerate(_COUNTING, 2)}
# What could lead elsewhere, call people, or stand for markup.
_FOREIGN = re.compile(r"https?:|www\.|[<>@#`*_~|\n]")


class Opening(BaseModel):
    """What a language model is asked for."""

    sentence: str = Field(min_length=1, max_length=LONGEST)


@dataclass(frozen=True, slots=True)
class Wording:
    sentence: str
    written_by: str = ""


def summed_up(sections: Sequence[Section], language_model: LanguageModel | None) -> Wording:
    """The opening sentence. Ours where no language model is there, or where its own does not hold."""
    ours = Opening(sentence=plain_sentence(sections))
    news = [section for section in sections if section.news]
    if language_model is None or not news or not language_model.available:
        return Wording(ours.sentence)
    material = "\n".join(f"{section.title}: {section.summary}" for section in sections)
    prompt = build_prompt("digest", "summary", [Block("what happened since the last digest", material)])
    answer = language_model.complete(prompt, Opening, lambda: ours)
    said = " ".join(answer.value.sentence.split())
    if said == ours.sentence or not holds(said, material):
        return Wording(ours.sentence)
    return Wording(said, answer.source)


def plain_sentence(sections: Sequence[Section]) -> str:
    told = [section.summary for section in sections if section.news] or ["Nothing happened"]
    joined = "; ".join(told)
    return f"{joined[: LONGEST - 2]}…" if len(joined) > LONGEST - 1 else f"{joined}."


def holds(sentence: str, material: str) -> bool:
    """Whether every number in the sentence stands in the material, and nothing in it leads anywhere."""
    words = sentence.lower()
    if _FOREIGN.search(words):
        return False
    named = set(_NUMBER.findall(words)) | {_WORDS[word] for word in re.findall(r"[a-z]+", words) if word in _WORDS}
    return named <= set(_NUMBER.findall(material))
