"""Deliveries of KServe's logger as they become hours of the version that answered."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.drift.intake import MOST_VERSIONS, Intake
from pipelines.drift.receiving import Delivery, Receiver, Taken
from pipelines.drift.served import Naming
from pipelines.errors import Refused, Unavailable
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=40)
SAID = Categories({"0": 70, "1": 30})


def reference(version: str, edge: float) -> Reference:
    profile = ReferenceProfile(
        "churn", f"churn-{version}", 100, {"age": Numbers((edge,), (50, 50))}, SAID, SAID,
        Numbers((0.7,), (40, 60), 0, 0.8, 1.0, 0.5, 1.0),
    )  # fmt: skip
    return Reference(version, profile)


class Registry:
    """Versions 3 (champion), 7 and 8; each with bins of its own."""

    def __init__(self) -> None:
        self.champion = "3"
        self.versions = {name: reference(name, float(name) * 10) for name in ("3", "7", "8")}
        self.asked: list[str] = []

    def reference(self, model: str) -> Reference | None:
        return self.versions[self.champion] if model == "churn" else None

    def reference_of(self, model: str, version: str) -> Reference | None:
        self.asked.append(version)
        return self.versions.get(version)


class Counts:
    def __init__(self) -> None:
        self.rows = 0
        self.lost = 0
        self.gaps: dict[str, int] = {}
        self.references: list[str] = []

    def kept(self, windows: Any) -> None:
        self.rows += sum(window.total.rows for window in windows)

    def refused(self, source: str, count: int) -> None:
        self.lost += count

    def incomplete(self, model: str, gaps: Mapping[str, int]) -> None:
        for what, count in gaps.items():
            self.gaps[what] = self.gaps.get(what, 0) + count

    def changed(self, model: str, labels: int) -> None:
        self.gaps["changed"] = self.gaps.get("changed", 0) + labels

    def judged_by(self, model: str, reference: Reference) -> None:
        self.references.append(reference.version)


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", SystemClock())
    yield made
    made.close()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def counts() -> Counts:
    return Counts()


def receiving(ledger: Ledger, registry: Registry, counts: Counts) -> Receiver:
    naming = Naming({"churn": {"rev-00007": "7", "v8": "3"}})
    intake = Intake(ledger.profiles, registry, SystemClock(), {"churn", "fraud"}, naming, ledger.served, counts)
    return Receiver(intake, ledger.halves, ledger.together, SystemClock(), counts)


@pytest.fixture
def receiver(ledger, registry, counts):
    return receiving(ledger, registry, counts)


def test_what_comes_after_a_promotion_counts_for_the_new_champion_at_once(ledger, registry) -> None:
    intake = Intake(ledger.profiles, registry, SystemClock(), {"churn"})
    receiver = Receiver(intake, ledger.halves, ledger.together, SystemClock())
    deliver(receiver, halves(1), halves(2, "unknown"))
    registry.champion = "7"
    intake.champion_moved("churn")
    intake.champion_moved("a model that never had records")
    deliver(receiver, halves(3), halves(4, "unknown"), halves(5, "3"))
    assert rows_by_version(ledger) == {"3": 3, "7": 2}


def halves(
    number: Any, version: str | None = None, model: str = "churn", rows: int = 1, at: datetime = NOW
) -> list[Any]:
    common = {
        "specversion": "1.0", "id": f"e{number}", "source": "s", "inferenceservicename": model, "time": at.isoformat(),
    }  # fmt: skip
    answer: dict[str, Any] = {"predictions": [1] * rows}
    if version is not None:
        answer["model_version"] = version
    return [
        {**common, "type": "org.kubeflow.serving.inference.request", "data": {"instances": [{"age": 41}] * rows}},
        {**common, "type": "org.kubeflow.serving.inference.response", "data": answer},
    ]


def sent(receiver: Receiver, content: Any) -> Taken:
    [answer] = receiver.take([Delivery(json.dumps(content).encode(), {})])
    if isinstance(answer, Refused):
        raise answer
    return answer


def deliver(receiver: Receiver, *events: Any) -> Taken:
    return sent(receiver, [half for pair in events for half in pair])


def rows_by_version(ledger: Ledger) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in ledger.profiles.windows("churn", LONG_AGO, NOW + timedelta(hours=1)):
        found[one.version] = found.get(one.version, 0) + one.total.rows
    return found


@pytest.mark.parametrize(
    ("served", "version", "noted"),
    [
        (None, "3", ""), ("", "3", ""), ("3", "3", ""), ("v3", "3", ""), ("7", "7", ""), ("v7", "7", ""),
        ("V7", "7", ""), ("version-7", "7", ""), ("007", "7", ""), ("rev-00007", "7", "as the catalogue says"),
        ("v8", "3", "as the catalogue says"), ("9", "3", "the registry does not know"),
        ("churn-predictor-00012", "3", "the registry does not know"), ("1.0.0", "3", "the registry does not know"),
    ],
)  # fmt: skip
def test_names_that_serving_gives_versions_are_counted_as_the_registrys(
    receiver, ledger, served, version, noted
) -> None:
    assert deliver(receiver, halves(1, served), halves(2, served)).records == 2
    assert rows_by_version(ledger) == {version: 2}
    notes = [name.note for name in ledger.served.since("churn", LONG_AGO)]
    assert len(notes) == bool(noted)
    assert noted in "".join(notes)


def test_each_version_is_counted_in_its_own_bins_also_before_it_is_champion(receiver, ledger, registry) -> None:
    deliver(receiver, halves(1, "7"), halves(2, "8"), halves(3))
    registry.champion = "7"
    deliver(receiver, halves(4, "7"), halves(5, "v7"))
    hours = {one.version: one for one in ledger.profiles.windows("churn", LONG_AGO, NOW + timedelta(hours=1))}
    assert {name: hour.total.rows for name, hour in hours.items()} == {"3": 1, "7": 3, "8": 1}
    assert {name: hour.total.features["age"].edges for name, hour in hours.items()} == {
        "3": (30.0,), "7": (70.0,), "8": (80.0,),
    }  # fmt: skip


def test_a_storm_of_version_names_asks_the_registry_a_bounded_number_of_times(receiver, registry, ledger) -> None:
    deliver(receiver, *(halves(number, f"v{number + 100}") for number in range(300)))
    assert len(registry.asked) <= MOST_VERSIONS
    assert rows_by_version(ledger) == {"3": 300}
    assert len(ledger.served.since("churn", LONG_AGO)) <= MOST_VERSIONS


def test_the_same_records_in_other_groups_and_after_a_restart_count_once(receiver, ledger, registry, counts) -> None:
    deliver(receiver, halves(1, rows=3), halves(2))
    again = receiving(ledger, registry, counts)
    deliver(again, halves(2), halves(3))
    deliver(again, halves(1, rows=3))
    assert rows_by_version(ledger) == {"3": 5}
    assert counts.rows == 5
    assert counts.references == ["3", "3"]  # each looked it up once


def test_what_could_not_be_stored_is_taken_when_it_is_sent_again(receiver, ledger, monkeypatch) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("the bot's database", "it is locked")

    request, response = halves(1)
    sent(receiver, request)
    monkeypatch.setattr(ledger.profiles, "take", away)
    with pytest.raises(Unavailable):
        sent(receiver, response)
    with pytest.raises(Unavailable):
        deliver(receiver, halves(2))
    monkeypatch.undo()
    assert sent(receiver, response).records == 1
    assert deliver(receiver, halves(2)).records == 1
    assert deliver(receiver, halves(2)).records == 0


def test_a_broken_event_among_good_ones_is_told_and_the_others_are_taken(receiver, ledger, counts) -> None:
    broken = halves(2)
    broken[0]["data"] = {"rows": []}
    taken = deliver(receiver, halves(1), broken, halves(3, model="nobody"), halves(4, model="fraud"), halves(5))
    assert (taken.records, taken.refused) == (2, 5)
    assert "none of `instances`" in taken.reason
    assert (rows_by_version(ledger), counts.lost) == ({"3": 2}, 5)
    with pytest.raises(Refused, match="no champion"):
        deliver(receiver, halves(6, model="fraud"))


def test_records_older_than_any_baseline_and_impossible_moments_do_no_harm(receiver, ledger) -> None:
    old, odd = halves(1, at=NOW - timedelta(days=60)), halves(2)
    for half in odd:
        half["time"] = "0001-01-01T00:00:00+14:00"
    ahead = halves(3, at=NOW + timedelta(days=300))
    deliver(receiver, old, odd, ahead)
    assert rows_by_version(ledger) == {"3": 2}
