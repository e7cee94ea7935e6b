"""What a digest tells, from what really happened; its numbers are counted here and nowhere else."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.approval import Approval, ApprovalPolicy
from pipelines.ask.questions import Question
from pipelines.digest.audience import Audience
from pipelines.digest.parts import (
    MOST_LINES,
    MOST_LINKS,
    ApprovalsPart,
    LanguageModelsPart,
    ModelsPart,
    QuestionsPart,
    RetrainsPart,
)
from pipelines.digest.summary import holds, plain_sentence, summed_up
from pipelines.digest.values import DigestOrder, FeatureUse, Scope, Section
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.ports import Completion
from pipelines.retrain.values import GateRule, GateVerdict, ModelSpec, ModelVersion, Retrain, TrainingPlan

NOW = datetime(2026, 3, 27, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = Scope("C0ML")
GATE = GateRule("roc_auc", {"roc_auc": 0.75})


def run(model="churn", stage="registered", **more):
    plan = TrainingPlan(
        f"{model}-1", model, "classification", "/data.csv", "v", 10, 2, "y", "builtin", "local", 7, GATE, 3, {}, 512, 5,
        None, 0.0, "U0BEN", "Ben Okafor", "person",
    )  # fmt: skip
    return Retrain(plan.run_id, plan, stage, finished_at=NOW - timedelta(hours=1), **more)


def version(number, model="churn", days=1.0, aliases=(), **metrics):
    metrics = metrics or {"roc_auc": round(0.8 + number / 100, 2)}
    return ModelVersion(model, number, tuple(aliases), metrics, NOW - days * DAY, "r", "https://mlflow.example/v")


def spec(name="churn"):
    return ModelSpec(name, "classification", "/data.csv", "y", "Growth", "#ml", GATE)


@dataclass
class Runs:
    ended: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def finished_between(self, after, until):
        self.asked.append((after, until))
        return self.ended


@dataclass
class Shelf:
    """A registry: `versions` newest first, as a registry answers them."""

    held: dict
    away: str = ""

    def versions(self, model, limit=20):
        if self.away:
            raise Unavailable("MLflow", self.away)
        return self.held.get(model, [])[:limit]


class Still:
    def now(self):
        return NOW


def link(run_id):
    return f"https://slack.example/{run_id}"


def tell(part, scope=ALL):
    return part.between(NOW - DAY, NOW, scope)


def test_retrains_are_counted_by_how_they_ended():
    verdict = GateVerdict(passed=False, checks=(), reason="roc_auc is below its limit.")
    runs = Runs([
        run("a", version=version(4, "a"), settled_by="Ana Lima"),
        run("b", version=version(2, "b"), settled_by="Ana Lima"),
        run("c", "gate failed", verdict=verdict), run("d", "failed", failure="No\nrows."),
        run("e", "rejected", settled_by="Ana Lima"), run("f", "expired"), run("g", "cancelled", settled_by="Ben"),
        run("h", "withdrawn", settled_by="Ben"),
    ])  # fmt: skip
    section = tell(RetrainsPart(runs, link))
    assert section.summary == (
        "8 retrains ended: 2 new champions, 1 did not pass the gate, 1 failed, 1 was cancelled, 1 was rejected, "
        "1 expired unanswered, 1 was withdrawn"
    )
    texts = [line.text for line in section.lines]
    assert texts[-1] == "a: version 4 is the new champion, approved by Ana Lima"
    assert "c did not pass the gate: roc_auc is below its limit." in texts
    assert "d failed: No rows." in texts
    assert "e was rejected by Ana Lima" in texts
    assert runs.asked == [(NOW - DAY, NOW)]


def test_nothing_ended_means_nothing_to_say():
    assert tell(RetrainsPart(Runs(), link)) is None
    assert tell(RetrainsPart(Runs([run("churn")]), link), Scope("C0ML", frozenset({"churn"}))) is None


def test_of_very_many_retrains_the_newest_are_shown_and_the_rest_counted():
    calls = []
    part = RetrainsPart(
        Runs([run(f"m{number}", "failed") for number in range(5_000)]), lambda one: calls.append(one) or ""
    )
    section = tell(part)
    assert section.summary == "5,000 retrains ended: 5,000 failed"
    assert (len(section.lines), section.left_out) == (MOST_LINES, 5_000 - MOST_LINES)
    assert section.lines[0].text.startswith("m4999 ")
    assert len(calls) == MOST_LINKS


def test_models_stand_by_age_with_the_change_to_the_version_before():
    held = {
        "churn": [version(3, days=2, aliases=["champion"]), version(2, days=9), version(1, days=40)],
        "tumour": [version(1, "tumour", days=30, aliases=["champion"])],
    }
    models = {name: spec(name) for name in ("churn", "tumour", "young")}
    section = tell(ModelsPart(Shelf(held), models, Still()))
    assert section.summary == "3 models; the oldest champion is tumour, 30 days old"
    assert [line.text for line in section.lines] == [
        "tumour: version 1, 30 days old, owner Growth", "churn: version 3, 2 days old, owner Growth",
        "young: no champion yet",
    ]  # fmt: skip
    (figure,) = section.lines[1].figures
    assert (figure.value, figure.before) == (0.83, 0.82)
    (trend,) = section.trends
    assert [(point.label, point.value) for point in trend.points] == [("v1", 0.81), ("v2", 0.82), ("v3", 0.83)]
    assert not section.news


def test_a_metric_that_is_no_number_is_left_out_of_the_chart():
    held = {"churn": [version(3, aliases=["champion"]), version(2, roc_auc=float("nan")), version(1, f1=0.5)]}
    section = tell(ModelsPart(Shelf(held), {"churn": spec()}, Still()))
    assert section.trends == ()
    assert json.dumps(to_json(section), allow_nan=False)


def test_a_registry_that_is_away_is_not_passed_over():
    with pytest.raises(Unavailable):
        tell(ModelsPart(Shelf({}, "it is locked"), {"churn": spec()}, Still()))


@dataclass
class Waiting:
    approvals: list

    def open(self):
        return self.approvals


def approval(subject, hours):
    return Approval(
        f"{subject}-1", "retrain", subject, f"Retrain {subject}", "d", "U0BEN", "Ben Okafor", ApprovalPolicy(),
        NOW - DAY, NOW + timedelta(hours=hours),
    )  # fmt: skip


def test_open_approvals_are_shown_by_when_they_expire():
    part = ApprovalsPart(Waiting([approval("churn", 9), approval("tumour", 2), approval("deploy of x", 5)]), link)
    section = tell(part, Scope("C0ML", frozenset({"churn"})))
    assert section.summary == "2 requests wait for somebody's yes"
    assert [line.text for line in section.lines] == [
        "Retrain tumour, asked by Ben Okafor", "Retrain deploy of x, asked by Ben Okafor",
    ]  # fmt: skip
    assert section.lines[0].url == "https://slack.example/tumour-1"
    assert tell(ApprovalsPart(Waiting([]), link)) is None


def test_questions_without_answers_belong_to_the_channel_and_to_the_time():
    def asked(text, at, channel="C0ML", thread="1.5"):
        return Question(text, text, "U0BEN", "Ben Okafor", channel, at, thread, state="unknown")

    @dataclass
    class Questions:
        def unanswered_since(self, moment):
            assert moment == NOW - DAY
            return [
                asked("told the last time", NOW - DAY), asked("How do I\nroll back?", NOW - timedelta(hours=2)),
                asked("elsewhere", NOW - timedelta(hours=1), "D0BEN"), asked("later", NOW + DAY),
            ]  # fmt: skip

    section = tell(QuestionsPart(Questions(), lambda one: f"https://slack.example/{one.thread}"))
    assert section.lines[0].url == "https://slack.example/1.5"
    assert section.summary == "1 question found no answer in the documents"
    assert [line.text for line in section.lines] == ["How do I roll back?"]


def test_the_cost_of_language_models_is_added_up_and_is_no_news():
    @dataclass
    class Use:
        used: tuple

        def used_between(self, after, until):
            return self.used

    section = tell(
        LanguageModelsPart(Use((FeatureUse("ask", 3, 1_200, 0.004), FeatureUse("triage", 40, 90_000, 1.25))))
    )
    assert section.summary == "43 calls, $1.25"
    assert [line.text for line in section.lines] == [
        "triage: 40 calls, 90,000 tokens, $1.25", "ask: 3 calls, 1,200 tokens, less than a cent",
    ]  # fmt: skip
    assert not section.news
    assert tell(LanguageModelsPart(Use(()))) is None
    assert tell(LanguageModelsPart(Use((FeatureUse("ask", 0, 0, 0.0),)))) is None


@dataclass
class Names:
    ids: dict

    def find(self, channel):
        if channel not in self.ids:
            raise Refused(f"There is no channel {channel}.")
        return self.ids[channel]


def test_a_channel_hears_of_the_models_that_post_there_and_of_all_where_none_does():
    posting = {"#ml": frozenset({"churn"}), "#growth": frozenset({"churn", "ltv"}), "#gone": frozenset({"tumour"})}
    audience = Audience(Names({"#ml": "C1", "#growth": "C2"}), posting)
    assert audience.scope("C1").others == {"ltv", "tumour"}
    assert audience.scope("C2").others == {"tumour"}
    assert audience.scope("C9").others == frozenset()
    assert audience.scope("C1").concerns("a model that the catalogue no longer names")


def test_orders_and_digests_come_back_from_json_as_they_were():
    order = DigestOrder("C1", NOW, NOW - DAY, missed=2, last_missed=NOW - DAY)
    assert from_json(DigestOrder, json.loads(json.dumps(to_json(order)))) == order
    assert order.id == "C1:2026-03-27T08:00Z"
    assert replace(order, kind="now").id == "now:C1:2026-03-27T08:00Z"


# The opening sentence

SECTIONS = (
    Section("Retrains", "3 retrains ended: 2 new champions, 1 failed"),
    Section("Open approvals", "1 request waits for somebody's yes"),
    Section("Models", "3 models; the oldest champion is churn, 12 days old", news=False),
)


@dataclass
class Model:
    """A language model that says what it is told to."""

    says: str
    available: bool = True
    prompts: list = field(default_factory=list)

    def complete(self, prompt, schema, offline):
        self.prompts.append(prompt)
        return Completion(schema(sentence=self.says), "openai gpt-4o-mini")


def test_without_a_language_model_the_sentence_is_put_together():
    wording = summed_up(SECTIONS, None)
    assert wording.sentence == "3 retrains ended: 2 new champions, 1 failed; 1 request waits for somebody's yes."
    assert wording.written_by == ""
    assert summed_up((), None).sentence == "Nothing happened."
    assert len(plain_sentence([Section("A", "x" * 400)])) <= 300


def test_a_language_model_may_word_it_and_is_named():
    model = Model("Two new champions came out of 3 retrains; one failed.")
    wording = summed_up(SECTIONS, model)
    assert wording.sentence == "Two new champions came out of 3 retrains; one failed."
    assert wording.written_by == "openai gpt-4o-mini"
    (prompt,) = model.prompts
    assert prompt.feature == "digest"
    assert "3 retrains ended" in prompt.material
    assert "3 retrains ended" not in prompt.instructions


@pytest.mark.parametrize(
    "says",
    [
        "4 retrains ended.", "Seven retrains failed.", "A 95.5 % success.", "See https://evil.example now.",
        "<!channel> look here", "Look at *this*", "Ask @ana about it", "first\n\nsecond <b>",
    ],
)  # fmt: skip
def test_a_sentence_with_a_number_or_a_mark_that_is_not_ours_is_not_used(says):
    wording = summed_up(SECTIONS, Model(says))
    assert wording.written_by == ""
    assert wording.sentence.startswith("3 retrains ended")


def test_no_language_model_is_asked_on_a_quiet_day_or_when_it_is_not_available():
    for sections, model in ((SECTIONS[2:], Model("Calm.")), (SECTIONS, Model("Calm.", available=False))):
        assert summed_up(sections, model).written_by == ""
        assert model.prompts == []


def test_numbers_are_compared_whole():
    assert holds("12 days", "12 days")
    assert not holds("2 days", "12 days")
    assert not holds("1.2 days", "12 days")
