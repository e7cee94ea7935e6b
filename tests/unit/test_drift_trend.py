"""What looks leave behind: the digest's section on drift, and the charts of App Home."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cards import draw
from bot.cards.digest import pages
from bot.sandbox.slack.blockkit import judge_blocks
from pipelines.digest.drift import MOST_POINTS, DriftPart
from pipelines.digest.values import Digest, DigestOrder, Scope, Section
from pipelines.drift.episodes import Episode, Found
from pipelines.drift.report import DriftReport, ModelDrift, report
from pipelines.drift.trend import Look, look_of, thinned, trends
from pipelines.drift.values import FeatureDrift, Performance, Verdict
from pipelines.json_values import from_json, to_json

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALL = Scope("C0ML")
REPORT = DriftReport(
    "Data drift, P1", "", "P1", ("age: mean 40 → 60 (PSI 0.410)",), (), "retrain", "", (), ()
)  # fmt: skip


def look(hours_ago: float, psi: float | None = 0.1, model: str = "churn", **changed: Any) -> Look:
    return replace(Look(model, "3", NOW - hours_ago * HOUR, "no drift", None, psi, "age", 0, 5), **changed)


def episode(model: str = "churn", opened: float = 5, ended: float | None = None) -> Episode:
    found = Found("data drift", "P1", "3", DAY, NOW, REPORT)
    return Episode(
        f"{model}-e", model, "#ml", NOW - opened * HOUR, found, "P1", 4, NOW, "slot",
        ended_at=None if ended is None else NOW - ended * HOUR,
    )  # fmt: skip


class Memory:
    def __init__(self, looks: list[Look], episodes: list[Episode]) -> None:
        self.looks, self.episodes = looks, episodes

    def add(self, look: Look) -> None:
        self.looks.append(look)

    def between(self, after: datetime, until: datetime) -> list[Look]:
        return sorted((one for one in self.looks if after < one.at <= until), key=lambda one: one.at)

    def recent(self, limit: int = 10, model: str | None = None) -> list[Episode]:
        return self.episodes[:limit]


def told(looks: list[Look], episodes: list[Episode] | None = None, scope: Scope = ALL) -> Section | None:
    memory = Memory(looks, episodes or [])
    part = DriftPart(memory, memory, lambda one: f"https://slack.example/{one.id}")  # type: ignore[arg-type]
    return part.between(NOW - DAY, NOW, scope)


def test_nothing_looked_at_is_nothing_to_say() -> None:
    assert told([look(30)]) is None
    assert told([look(1)], scope=Scope("C", frozenset({"churn"}))) is None


def test_calm_models_are_told_without_being_news() -> None:
    section = told([look(3), look(2), look(1, model="fraud")])
    assert section is not None
    assert (section.news, section.summary) == (False, "2 models judged, nothing began or ended")
    assert [line.text for line in section.lines] == [
        "churn: no drift in the last of 2 looks, largest PSI 0.10",
        "fraud: no drift in the last of 1 look, largest PSI 0.10",
    ]


def test_episodes_that_began_went_on_or_ended_are_news_with_their_worst_feature() -> None:
    looks = [look(2, 0.41, kind="data drift", urgency="P1", drifted=1), look(1, 0.2, model="fraud")]
    old, gone = episode("old", opened=90), episode("fraud", opened=50, ended=2)
    section = told(looks, [episode(), old, gone, episode("forgotten", opened=99, ended=40)])
    assert section is not None
    assert section.news
    assert section.summary == "2 models judged, 1 episode opened, 1 episode ended, worst is age of churn"
    assert [(line.tone, line.text) for line in section.lines] == [
        ("bad", "old: data drift, P1; worst: age: mean 40 → 60 (PSI 0.410)"),
        ("bad", "churn: data drift, P1; worst: age: mean 40 → 60 (PSI 0.410)"),
        ("good", "fraud: data drift is gone after 4 looks"),
    ]
    assert section.lines[0].url == "https://slack.example/old-e"


def test_where_the_clock_of_the_records_runs_ahead_a_day_of_records_is_told() -> None:
    memory = Memory([look(-900), look(-890), look(2, model="fraud")], [episode(opened=-895)])
    part = DriftPart(memory, memory, lambda _: "", ahead=lambda: 905 * HOUR)  # type: ignore[arg-type]
    section = part.between(NOW - DAY, NOW, ALL)
    assert section is not None
    assert section.summary == "1 model judged, 1 episode opened"


def test_the_trend_of_a_model_is_drawn_within_slacks_limits() -> None:
    section = told([look(number / 10, number / 100) for number in range(1, 200)], [episode()])
    assert section is not None
    [trend] = section.trends
    assert len(trend.points) <= MOST_POINTS
    assert max(point.value for point in trend.points) == 1.99
    order = DigestOrder("C0ML", NOW, NOW - DAY)
    digest = Digest(order, NOW, (section,), "Drift.")
    cards = [draw(digest), *map(draw, pages(digest))]
    for card in cards:
        assert judge_blocks(list(card.blocks), "message") == []
    assert "churn: largest PSI by time" in str(cards[-1].blocks)
    assert from_json(Digest, to_json(digest)) == digest


def test_thinning_keeps_peaks_and_the_newest() -> None:
    looks = [look(100 - number, 0.9 if number == 37 else 0.1) for number in range(100)]
    kept = thinned(looks, 20)
    assert len(kept) <= 20
    assert max(one.psi or 0 for one in kept) == 0.9
    assert kept[-1] == looks[-1]
    assert thinned(looks[:3], 20) == looks[:3]


def test_models_that_drifted_most_at_last_come_first() -> None:
    found = trends([look(3, 0.9, "a"), look(1, 0.1, "a"), look(2, 0.5, "b"), look(2, None, "c")])
    assert [one.model for one in found] == ["b", "a", "c"]


def feature(name: str, psi: float, role: Any = "feature", drifted: bool = False) -> FeatureDrift:
    return FeatureDrift(
        name, role, "number", psi, 0.1, 0.1, None, 0.01, 0.01, 1.0, 0.0, 0.2, 0.0, 0.0, 0.0, drifted, "moved"
    )


@pytest.mark.parametrize("estimated", [False, True])
def test_a_look_is_remembered_by_its_figures(estimated: bool) -> None:
    measured = Performance("accuracy", 0.9, 0.8, 100, 0.01, worse=True, estimated=estimated)
    given = {"estimated": measured} if estimated else {"performance": measured}
    features = (
        feature("age", 0.3, drifted=True), feature("noise", 0.4), feature("(prediction)", 2.0, "prediction"),
        feature("odd", float("nan")),
    )  # fmt: skip
    verdict = Verdict("data drift", "P1", (), (), features, **given)  # type: ignore[arg-type]
    found = look_of(ModelDrift("churn", "3", DAY, report(verdict), verdict, NOW))
    assert (found.psi, found.worst, found.drifted, found.features) == (0.4, "age", 1, 2)
    assert (found.metric, found.performance, found.urgency) == ("accuracy", 0.8, "P1")
    nothing = Verdict("no drift", None, (), (), ())
    assert look_of(ModelDrift("churn", "3", DAY, report(nothing), nothing, NOW)).psi is None
