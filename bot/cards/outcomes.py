"""What a person is told when something was refused, is away, or broke."""

from dataclasses import dataclass

from bot.cards.blocks import Card, escape, plain, section, tame
from bot.cards.drawing import draw


@dataclass(frozen=True, slots=True)
class Refusal:
    text: str  # mrkdwn, written by us


@dataclass(frozen=True, slots=True)
class Outage:
    text: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Something nobody foresaw; `reference` finds its log line."""

    reference: str


@draw.register
def _refusal(value: Refusal) -> Card:
    return Card(plain(value.text), (section(f":no_entry_sign: {tame(value.text)}"),))


@draw.register
def _outage(value: Outage) -> Card:
    text = f"{escape(value.text)} Nothing was changed; try again in a minute."
    return Card(text, (section(f":hourglass: {text}"),))


@draw.register
def _breakdown(value: Breakdown) -> Card:
    text = f"Something broke, reference {value.reference}. Nothing was changed that is not shown here."
    return Card(text, (section(f":boom: {text}"),))
