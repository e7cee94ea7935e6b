"""/drift from the words to the card."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.cards import draw
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.sandbox.slack.blockkit import judge_blocks
from commands.drift import DriftCommand
from pipelines.drift.desk import DriftDesk, ModelDrift, parse_window
from pipelines.drift.windows import Tally, WindowProfile
from pipelines.errors import Refused
from pipelines.people import Person, Role
from pipelines.profiles import Reference, ReferenceProfile, reference_edges, tally_codes, tally_numbers
from pipelines.requests import TypedCommand

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AGES = np.random.default_rng(1).normal(40, 10, 5_000)
EDGES = reference_edges(AGES)
SAID = tally_codes(np.random.default_rng(2).choice(2, 5_000), ("0", "1"), ("0", "1"))
PROFILE = ReferenceProfile("churn", "churn-1", 5_000, {"age <&>": tally_numbers(AGES, EDGES)}, SAID, SAID)


class FrozenClock:
    def now(self) -> datetime:
        return NOW


class OneReference:
    def reference(self, model: str) -> Reference | None:
        return Reference("3", PROFILE) if model in ("churn", "new") else None


@pytest.fixture
def command(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", SystemClock())
    for number in range(24):
        ages = np.random.default_rng(number).normal(70, 10, 50)
        tally = Tally(50, {"age <&>": tally_numbers(ages, EDGES)})
        ledger.profiles.add(WindowProfile("churn", "3", NOW - timedelta(hours=number + 1), {"a": tally}))
        ledger.profiles.add(WindowProfile("churn", "2", NOW - timedelta(hours=number + 1), {"old": Tally(9)}))
    yield DriftCommand(DriftDesk(ledger.profiles, OneReference(), FrozenClock(), {"churn": 1, "fraud": 1, "new": 1}))
    ledger.close()


def typed(text: str) -> TypedCommand:
    return TypedCommand("/drift", text, Person("U1", "Ben", Role.VIEWER), "C1")


def test_drift_is_told_with_what_moved_and_what_would_change_it(command) -> None:
    found = command(typed("churn window=24h"))
    assert isinstance(found, ModelDrift)
    assert (found.version, found.report.urgency) == ("3", "P1")
    card = draw(found)
    shown = str(card.blocks)
    assert "last 24 hours: Data drift, P1" in card.text
    assert "age &lt;&amp;&gt;" in shown
    assert "age <&>" not in shown
    assert judge_blocks(list(card.blocks), "message") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Which model"),
        ("churn fraud", "Which model"),
        ("fraud", "no champion"),
        ("chrun", "Did you mean"),
        ("new", "No inference records"),
        ("churn window=soon", "hours or days"),
        ("churn window=0h", "hours or days"),
        ("churn window=90d", "hours or days"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_what_to_type(command, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        command(typed(text))


def test_a_window_is_hours_or_days() -> None:
    assert parse_window("6h") == timedelta(hours=6)
    assert parse_window(" 7D ") == timedelta(days=7)
