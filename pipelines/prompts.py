"""Prompts are documents: markdown files with strict placeholders, filled with material that stays data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked. `instructions` are ours; `material` came from outside and stands in fences.

    `feature` is the word under which its use is counted: "ask", "triage", "drift" …
    """

    feature: str
    instructions: str
    material: str
