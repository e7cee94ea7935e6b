"""Will retraining help: the sum, the rows that it is made of, and the challenger in its own process."""

import json
import math
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from bot.clients.challenger import ChallengerProcess, job_for
from bot.config import training_environment
from pipelines.drift.plans import Trial
from pipelines.drift.records import InferenceRecord
from pipelines.drift.retraining import would_retraining_help
from pipelines.drift.sampling import CountedAs, Floors, Fold, LabelledRow, RowLimit, rank_of
from pipelines.drift.trials import Trials
from pipelines.errors import Refused, Unavailable
from pipelines.retrain.challenger import challenger_errors
from pipelines.retrain.values import GateRule, ModelSpec

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TRIAL = Trial("churn", "7", 24 * HOUR, NOON)
CHURN = ModelSpec("churn", "classification", "churn.csv", "churned", "Ana", "#ml", GateRule("accuracy"))


def rows(count=400, changed=0.4, noise=0.0, start=NOON - 20 * HOUR):
    """What the champion says follows the age alone; what comes true, in a share of the rows, the plan instead."""
    chance = np.random.default_rng(5)
    made = []
    for number in range(count):
        age, plan = float(chance.normal(40, 10)), str(chance.choice(["basic", "pro", "team"]))
        said = "1" if age > 40 else "0"
        true = ("1" if plan == "pro" else "0") if chance.random() < changed else said
        true = str(chance.integers(0, 2)) if chance.random() < noise else true
        made.append(LabelledRow(f"r{number}", start + number * timedelta(minutes=2), {"age": age, "plan": plan},
                                said, true))  # fmt: skip
    return made


class Kept:
    def __init__(self, found):
        self.found = found

    def keep(self, model, rows, limit):
        raise AssertionError("nothing is kept by a trial")

    def labelled(self, model, version):
        return self.found if (model, version) == ("churn", "7") else []

    def forget(self, before):
        raise AssertionError("nothing is kept by a trial")


class Scripted:
    """A challenger that errs in a share of the rows; counts how often it is asked."""

    def __init__(self, share=0.1):
        self.share, self.asked = share, 0

    def errors(self, model, rows, folds):
        self.asked += 1
        tested = sum(len(fold.test) for fold in folds)
        return (np.random.default_rng(9).random(tested) < self.share).astype(float).tolist()


class Here:
    """The challenger of the process, in this one."""

    def __init__(self, spec=CHURN):
        self.job = job_for(spec)

    def errors(self, model, rows, folds):
        given = [(fold.train, fold.test) for fold in folds]
        with threadpool_limits(1):  # threads that wait for each other on a busy machine take longer than one
            return challenger_errors(self.job, [row.features for row in rows], [row.label for row in rows], given)


def trials(found, challengers=None, numeric=(), **limits):
    return Trials(Kept(found), challengers or Scripted(), limits or {"churn": RowLimit()}, numeric)


def process(spec=CHURN, seconds=120.0, stopping=lambda: False, environment=None):
    environment = training_environment() if environment is None else environment
    return ChallengerProcess(sys.executable, environment, {"churn": spec}, stopping, seconds)


class TestTheSum:
    def test_a_challenger_that_errs_less_on_recent_rows_would_help(self):
        chance = np.random.default_rng(4)
        champion = (chance.random(1_000) < 0.3).astype(float)
        asked = []

        def challenger(folds):
            asked.extend(folds)
            return (np.random.default_rng(5).random(1_000) < 0.1).astype(float).tolist()

        found = would_retraining_help(champion, range(1_000), challenger, classes=True)
        assert (found.answer, found.rows) == ("helps", 1_000)
        assert found.text.startswith("Retraining will probably help: ")
        assert "1,000 rows, p < 0.001" in found.text
        assert [row for fold in asked for row in fold.test] == list(range(1_000)), "in the order of time"
        assert all(not set(fold.train) & set(fold.test) for fold in asked)

    def test_one_that_errs_as_much_would_not(self):
        champion = (np.random.default_rng(4).random(1_000) < 0.3).astype(float)
        found = would_retraining_help(champion, range(1_000), lambda _: champion.tolist(), classes=True)
        assert found.answer == "does not help"
        assert "probably not help" in found.text
        perfect = would_retraining_help(np.zeros(300), range(300), lambda _: [0.0] * 300, classes=True)
        assert perfect.answer == "does not help"

    def test_a_gain_that_chance_may_explain_is_not_told_as_one(self):
        champion = np.zeros(200)
        champion[:10] = 1
        ours = np.zeros(200)
        ours[3:11] = 1
        found = would_retraining_help(champion, range(200), lambda _: ours.tolist(), classes=True)
        assert found.answer == "cannot say"
        assert "may be chance" in found.text

    def test_rows_that_are_the_same_are_never_learned_and_asked(self):
        alike = [number % 120 for number in range(600)]

        def challenger(folds):
            for fold in folds:
                assert not {alike[row] for row in fold.train} & {alike[row] for row in fold.test}
            return [0.0] * 600

        with pytest.raises(Refused, match="too much alike"):
            would_retraining_help(np.ones(600), alike, challenger, classes=True)
        blocks = [number // 3 for number in range(600)]
        alike[:] = blocks
        assert would_retraining_help(np.ones(600), blocks, challenger, classes=True).answer == "helps"

    def test_too_few_labels_and_answers_that_are_none_are_refused(self):
        with pytest.raises(Refused, match="Only 150 recent rows have a label; 200 are needed"):
            would_retraining_help(np.zeros(150), range(150), lambda _: [], classes=True)
        for wrong in ([], [0.0] * 299, [math.nan] * 300):
            with pytest.raises(Refused, match="every row"):
                would_retraining_help(np.ones(300), range(300), lambda _, wrong=wrong: wrong, classes=True)


class TestTheRows:
    def test_few_labels_are_an_answer(self):
        assert trials(rows(37)).run(TRIAL).text == "Cannot say: only 37 recent rows have a label; 200 are needed."

    def test_only_rows_of_the_window_count_and_of_those_before_it_as_many_as_are_needed(self):
        old = rows(400, start=NOON - 60 * HOUR)
        assert "only 0 recent rows" in trials(old).run(TRIAL).text
        assert trials(old).run(replace(TRIAL, windows=3)).rows == 200
        assert trials(rows(400)).run(replace(TRIAL, windows=3)).rows == 400

    def test_where_late_labels_showed_it_the_rows_end_with_the_newest_label(self):
        late = rows(400, start=NOON - 100 * HOUR)
        assert trials(late).run(replace(TRIAL, by_labels=True)).answer == "helps"

    def test_broken_rows_are_not_tried(self):
        challengers = Scripted()
        told = trials(rows(), challengers).run(replace(TRIAL, broken=("age",)))
        assert (told.answer, challengers.asked) == ("does not help", 0)
        assert "learn the fault. Fix age first" in told.text

    def test_a_model_whose_rows_are_not_kept_says_so(self):
        for limits in ({"other": RowLimit()}, {"churn": RowLimit(rows=0)}):
            assert "records.sample" in trials(rows(), **limits).run(TRIAL).text

    def test_the_same_rows_are_tried_once_and_more_labels_anew(self):
        challengers = Scripted()
        tried = trials(rows(), challengers)
        assert tried.run(TRIAL) == tried.run(TRIAL)
        assert challengers.asked == 1
        tried.rows.found = rows(401)
        tried.run(TRIAL)
        assert challengers.asked == 2

    def test_a_refusal_is_an_answer_and_an_outage_is_told_upwards(self):
        class Refusing:
            def errors(self, model, rows, folds):
                raise Refused("Training took too long.")

        class Away:
            def errors(self, model, rows, folds):
                raise Unavailable("the training process", "it is away")

        assert trials(rows(), Refusing()).run(TRIAL).text == "Cannot say: training took too long."
        with pytest.raises(Unavailable):
            trials(rows(), Away()).run(TRIAL)

    def test_where_a_rare_class_was_lost_each_class_counts_alike(self):
        """The champion finds none of a class of one row in twenty; a challenger finds all, and errs as often."""
        found = [replace(row, prediction="0", label=str(int(place % 20 == 0))) for place, row in enumerate(rows())]

        class Finding:
            def errors(self, model, rows, folds):
                tested = [number for fold in folds for number in fold.test]
                return [float(number % 20 == 1) for number in tested]

        assert trials(found, Finding()).run(TRIAL).answer == "does not help"
        told = trials(found, Finding()).run(replace(TRIAL, lost="1"))
        assert told.answer == "helps"
        assert "in 2.6% of them, the champion in 50.0%, each class counting alike" in told.text

    def test_labels_of_a_model_of_numbers_that_are_none_are_left_out(self):
        numbers = [
            replace(row, prediction="10", label="12" if place % 2 else "n/a") for place, row in enumerate(rows())
        ]
        told = trials(numbers, Scripted(0.0), numeric={"churn"}).run(TRIAL)
        assert (told.rows, told.champion_error) == (200, 2.0)
        assert "off by 0 on average, the champion by 2" in told.text


def record(number=0, prediction="1", **features):
    return InferenceRecord(f"r{number}", "churn", "v7", NOON - number * HOUR, features, prediction)


def worth(records, columns=(), floors=None, **limits):
    counted = CountedAs("7", columns)
    return (floors or Floors()).above("churn", records, lambda _: counted, NOON, RowLimit(**limits))


class TestTheSample:
    def test_only_columns_of_the_reference_are_kept_and_no_long_text(self):
        given = record(
            age=41, plan="x" * 300, email="vera@example.org", joined=NOON, list=[1], nan=math.nan, price=Decimal("1.5")
        )
        (kept,) = worth([given], ("age", "plan", "joined", "list", "nan", "price", "gone"))
        assert json.loads(kept.body) == {"age": 41, "joined": NOON.isoformat(), "price": 1.5}
        assert (kept.record_id, kept.version, kept.at) == ("r0", "7", NOON)

    def test_what_is_too_old_below_the_floor_or_without_an_answer_is_not_worth_it(self):
        asked = [record(number) for number in range(10)]
        assert len(worth(asked, age=4.5 * HOUR)) == 5
        assert worth(asked, floors=Floors({"churn": math.inf})) == []
        assert worth([record(prediction=None)]) == []
        highest = sorted(asked, key=lambda one: -rank_of("churn", one.id, one.at))[:3]
        assert [kept.record_id for kept in worth(asked, rows=3)] == [one.id for one in highest]

    def test_a_clock_that_is_ahead_keeps_nothing_for_ever(self):
        (kept,) = worth([replace(record(), at=NOON + 10_000 * HOUR)])
        assert kept.at == NOON

    def test_newer_records_stay_likelier_and_a_day_of_any_traffic_keeps_its_share(self):
        moments = [NOON - number * timedelta(minutes=1) for number in range(28 * 1440)]
        ranked = sorted(moments, key=lambda at: -rank_of("churn", f"{at:%d%H%M}", at))[:2_000]
        days = [sum(at > NOON - (day + 1) * 24 * HOUR and at <= NOON - day * 24 * HOUR for at in ranked)
                for day in (0, 7, 14)]  # fmt: skip
        # Of 2,000 rows a day of age a has 2000 (1 - exp(-1/7)) exp(-a/7), 266 for the newest.
        assert days == pytest.approx([266, 98, 36], abs=45)

    def test_any_name_has_a_finite_rank(self):
        assert all(math.isfinite(rank_of("churn", name, NOON)) for name in ("", "\ud800", "x" * 10_000))


class TestTheProcess:
    def test_it_learns_what_changed(self):
        # More than a pipe holds, so that it has to be read while it is written.
        wide = [replace(row, features={**row.features, **dict.fromkeys(map(str, range(30)), 1.25)})
                for row in rows(600, changed=0.8)]  # fmt: skip
        assert len(json.dumps([dict(row.features) for row in wide])) > 1 << 17
        told = trials(wide, process()).run(TRIAL)
        assert told.answer == "helps", told.text

    def test_outcomes_that_nothing_explains_are_not_worth_a_training(self):
        told = trials(rows(600, changed=0.0, noise=0.6), Here()).run(TRIAL)
        assert told.answer == "does not help", told.text

    def test_numbers_are_judged_by_how_far_off_they_are(self):
        chance = np.random.default_rng(2)
        given = [(float(x), 10 * float(x)) for x in chance.normal(0, 1, 400)]
        found = [
            LabelledRow(f"r{place}", NOON - HOUR, {"x": x}, str(y / 2), str(y)) for place, (x, y) in enumerate(given)
        ]
        spec = replace(CHURN, problem="regression")
        told = trials(found, Here(spec), numeric={"churn"}).run(TRIAL)
        assert told.answer == "helps", told.text
        assert told.challenger_error < 1 < told.champion_error

    def test_a_trainer_of_the_team_is_used_and_its_words_never_leave(self, tmp_path):
        (tmp_path / "theirs.py").write_text(
            "import sys\n"
            "def train(table, job):\n"
            "    print('a row: Vera'); sys.stderr.write('a row: Vera')\n"
            "    raise ValueError('cannot read Vera Novak')\n"
        )
        paths = training_environment() | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
        told = trials(rows(), process(replace(CHURN, trainer="theirs:train"), environment=paths)).run(TRIAL)
        assert told.text == "Cannot say: the trainer theirs:train failed on the recent rows."
        (tmp_path / "theirs.py").write_text("import os\ndef train(table, job):\n    os._exit(9)\n")
        told = trials(rows(), process(replace(CHURN, trainer="theirs:train"), environment=paths)).run(TRIAL)
        assert told.text == "Cannot say: the training ended without an answer (exit code 9)."

    def test_one_that_takes_too_long_is_ended_and_so_is_one_when_the_bot_ends(self, tmp_path):
        (tmp_path / "slow.py").write_text("import time\ndef train(table, job):\n    time.sleep(600)\n")
        paths = training_environment() | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
        slow = replace(CHURN, trainer="slow:train")
        began = time.monotonic()
        told = trials(rows(), process(slow, seconds=0.3, environment=paths)).run(TRIAL)
        assert told.text == "Cannot say: training took longer than 0.3 seconds."
        with pytest.raises(Unavailable, match="about to end"):
            trials(rows(), process(slow, stopping=lambda: True, environment=paths)).run(TRIAL)
        assert time.monotonic() - began < 300

    def test_what_cannot_be_trained_here_is_refused(self):
        fold = [Fold(tuple(range(300)), tuple(range(300, 400)))]
        with pytest.raises(Refused, match="image"):
            process(replace(CHURN, trainer="image:theirs")).errors("churn", rows(), fold)
        with pytest.raises(Refused, match="No column"):
            Here().errors("churn", [replace(row, features={}) for row in rows()], fold)
        with pytest.raises(Refused, match="nothing to learn"):
            Here().errors("churn", [replace(row, label="1") for row in rows()], fold)
        mixed = [replace(row, label=str(place % 2) if place >= 300 else "1") for place, row in enumerate(rows())]
        assert sum(Here().errors("churn", mixed, fold)) == 50, "a part with one class says that class"
        with pytest.raises(Unavailable, match="training process"):
            ChallengerProcess("/nowhere/python", {}, {"churn": CHURN}, lambda: False).errors("churn", rows(), fold)
