"""What the demo's traffic can be like: what a person presses, and what the applicants are like then."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.demo.lending import USUAL, Circumstances

DARKEST_HOUR = 3
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Scenario:
    """`at` says what the applicants of a moment of the demo's clock are like."""

    key: str
    label: str
    hint: str
    at: Callable[[datetime], Circumstances]


def _seasonal(moment: datetime) -> Circumstances:
    hour = moment.hour + moment.minute / 60
    night = (1 + math.cos(2 * math.pi * (hour - DARKEST_HOUR) / 24)) / 2
    return Circumstances(night=night, weekend=moment.weekday() >= SATURDAY)


SCENARIOS: Mapping[str, Scenario] = {
    scenario.key: scenario
    for scenario in (
        Scenario("normal", "Normal", "Applicants like those of the training data: no drift", lambda _: USUAL),
        Scenario("seasonal", "Day and night", "The mix swings by hour and weekday, as it always did: no drift",
                 _seasonal),
        Scenario("income", "Drift in income", "People with incomes that the model has never seen: a retrain helps",
                 lambda _: Circumstances(low_earners=0.6)),
        Scenario("unit", "Unit bug", "A client sends incomes in cents: fix the source, do not retrain",
                 lambda _: Circumstances(income_in_cents=True)),
        Scenario("concept", "Concept change", "The same applicants, but now it is owners who default",
                 lambda _: Circumstances(other_rule=True)),
    )
}  # fmt: skip
HISTORY = SCENARIOS["seasonal"]
FIRST = SCENARIOS["normal"]
