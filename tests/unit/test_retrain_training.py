"""The training process from job.json to result.json, on small tables."""

import json
import pickle
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest

from pipelines.errors import Refused
from pipelines.json_values import from_json, to_json
from pipelines.profiles import ReferenceProfile
from pipelines.retrain import gate
from pipelines.retrain.artefacts import file_sha256
from pipelines.retrain.trainer import candidates
from pipelines.retrain.training import REFUSED_EXIT, run_job
from pipelines.retrain.values import GateRule, Progress, TrainingJob, TrainingResult

ROOT = Path(__file__).parents[2]
ROWS = 240
# The first candidate is the linear model, which fits in no time; boosting is searched once.
SEARCHED = {"score": 1, "two": 2, "three": 1, "absent": 1}


def table() -> pd.DataFrame:
    random = np.random.default_rng(5)
    size, shade = random.normal(size=ROWS), random.choice(["red", "green", None], ROWS)
    score = 2 * size + (shade == "red") + random.normal(scale=0.5, size=ROWS)
    return pd.DataFrame(
        {
            "size": np.where(random.random(ROWS) < 0.05, np.nan, size),
            "shade": shade,
            "seen": pd.date_range("2026-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "paid": np.where(random.random(ROWS) < 0.5, "yes", "no"),
            "score": score,
            "two": np.where(score > 0, "good", "bad"),
            "three": np.digitize(score, [-1, 1]),
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "small.csv"
    table().to_csv(path, index=False)
    return str(path)


def order(workdir: Path, data: str, target: str, **changes: Any) -> TrainingJob:
    """Lay job.json into the folder."""
    others = tuple({"score", "two", "three"} - {target})
    problem = "regression" if target == "score" else "classification"
    plain = TrainingJob(
        "r1", "small", problem, data, target, "builtin", str(workdir), drop_columns=others,
        search_candidates=SEARCHED[target], folds=3, positive_label="good" if target == "two" else None,
    )  # fmt: skip
    job = replace(plain, **changes)
    workdir.mkdir(exist_ok=True)
    (workdir / "job.json").write_text(json.dumps(to_json(job)))
    return job


def result_of(workdir: Path) -> TrainingResult:
    return from_json(TrainingResult, json.loads((workdir / "result.json").read_text()))


def error_of(workdir: Path) -> dict[str, str]:
    return dict(json.loads((workdir / "error.json").read_text()))


def measured(result: TrainingResult) -> TrainingResult:
    """What must be the same in two runs of the same data and seed."""
    return replace(result, seconds=0.0, peak_memory_mb=0.0, model_sha256="", champion_metrics=None)


@pytest.fixture(scope="module", params=["score", "two", "three"])
def trained(request: pytest.FixtureRequest, data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir: Path = tmp_path_factory.mktemp("run") / str(request.param)
    order(workdir, data, request.param)
    run_job(workdir)
    return workdir


def test_a_finished_run_says_all_there_is_to_say(trained: Path) -> None:
    result = result_of(trained)
    problem = "regression" if trained.name == "score" else "classification"
    assert set(result.metrics) == set(gate.METRICS[problem]) == set(result.cross_validation)
    assert (result.rows_train, result.rows_test) == (192, 48)
    assert set(result.features) == {"size", "shade", "seen", "paid"}
    assert result.importance[0].feature == "size"
    assert result.coverage is not None
    assert 0.7 < result.coverage.measured <= 1
    assert result.peak_memory_mb > 50
    assert gate.judge(GateRule(gate.METRICS[problem][0]), result).passed
    progress = from_json(Progress, json.loads((trained / "progress.json").read_text()))
    assert progress == Progress("finished", 1.0)
    assert not list(trained.glob("*.part"))


def test_the_profile_counts_every_training_row(trained: Path) -> None:
    profile = from_json(ReferenceProfile, json.loads((trained / "profile.json").read_text()))
    assert profile.rows == 192
    assert all(spread.count + spread.missing == 192 for spread in profile.features.values())
    assert profile.features["size"].missing > 0
    assert profile.prediction.count == 48
    assert (profile.confidence is None) == (trained.name == "score")


def test_the_profile_tells_how_good_the_model_was_on_its_test_rows(trained: Path) -> None:
    held_out = from_json(ReferenceProfile, json.loads((trained / "profile.json").read_text())).held_out
    metrics = result_of(trained).metrics
    assert held_out is not None
    assert held_out.rows == 48
    if trained.name == "score":
        assert held_out.absolute_error / 48 == pytest.approx(metrics["mae"])
        assert held_out.squared_error / 48 == pytest.approx(metrics["mse"])
    else:
        assert held_out.right / 48 == pytest.approx(metrics["accuracy"])
        assert sum(held_out.right_by_confidence) == held_out.right


@pytest.mark.parametrize("trained", ["two"], indirect=True)
def test_the_pickle_needs_no_shipmate(trained: Path, data: str) -> None:
    result = result_of(trained)
    assert file_sha256(trained / "model.pkl") == result.model_sha256
    script = (
        "import pickle, sys, pandas\n"
        "sys.modules['pipelines'] = None  # any import of it fails\n"
        f"model = pickle.load(open({str(trained / 'model.pkl')!r}, 'rb'))\n"
        f"print(list(model.predict(pandas.read_csv({data!r}).head(5))), model.feature_names)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    model = pickle.loads((trained / "model.pkl").read_bytes())
    assert f"{list(model.predict(pd.read_csv(data).head(5)))} {model.feature_names}" in done.stdout


@pytest.mark.parametrize("trained", ["score", "two"], indirect=True)
def test_mlflow_serves_the_folder_with_its_signature(trained: Path, data: str) -> None:
    import mlflow.pyfunc

    served = mlflow.pyfunc.load_model(str(trained / "mlflow-model"))
    raw = pd.read_csv(data).head(8)
    model = pickle.loads((trained / "model.pkl").read_bytes())
    assert list(served.predict(raw)) == list(model.predict(raw))
    assert set(served.metadata.get_input_schema().input_names()) == set(model.feature_names)


@pytest.mark.parametrize("trained", ["two"], indirect=True)
def test_the_same_seed_and_data_give_the_same_metrics(trained: Path, data: str, tmp_path: Path) -> None:
    again = tmp_path / "again"
    order(again, data, trained.name)
    run_job(again)
    assert measured(result_of(again)) == measured(result_of(trained))


@pytest.mark.parametrize("trained", ["score", "two"], indirect=True)
def test_the_champion_is_judged_on_the_same_rows(trained: Path, data: str, tmp_path: Path) -> None:
    digest = result_of(trained).model_sha256
    order(tmp_path, data, trained.name, champion_model="champion.pkl", champion_sha256=digest)
    (tmp_path / "champion.pkl").write_bytes((trained / "model.pkl").read_bytes())
    run_job(tmp_path)
    result = result_of(tmp_path)
    assert result.champion_metrics == pytest.approx(result.metrics)


@pytest.mark.parametrize("champion", [b"not a pickle", None])
def test_a_champion_that_cannot_be_judged_is_said_and_fails_the_gate(
    champion: bytes | None, data: str, tmp_path: Path
) -> None:
    order(tmp_path, data, "two", champion_model="champion.pkl", champion_sha256="of another file")
    if champion:
        (tmp_path / "champion.pkl").write_bytes(champion)
    run_job(tmp_path)
    result = result_of(tmp_path)
    assert result.champion_metrics == {}
    assert any("The champion could not be judged" in warning for warning in result.warnings)
    assert not gate.judge(GateRule("roc_auc"), result).passed


def test_finished_work_is_not_done_again(trained: Path) -> None:
    before = (trained / "result.json").stat().st_mtime_ns
    run_job(trained)
    assert (trained / "result.json").stat().st_mtime_ns == before


def test_a_refusal_is_left_as_a_sentence_and_a_second_try_starts_anew(data: str, tmp_path: Path) -> None:
    order(tmp_path, data, "absent")
    with pytest.raises(Refused, match="no column `absent`"):
        run_job(tmp_path)
    assert error_of(tmp_path)["kind"] == "data"
    assert "no column `absent`" in error_of(tmp_path)["sentence"]
    assert not (tmp_path / "result.json").exists()
    order(tmp_path, data, "score")
    run_job(tmp_path)
    assert not (tmp_path / "error.json").exists()


def test_a_job_that_is_no_job_is_named_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"run_id": 3}')
    with pytest.raises(ValueError, match=r"\$\."):
        run_job(tmp_path)


def test_a_far_workdir_gets_everything_the_run_leaves(data: str, tmp_path: Path) -> None:
    order(tmp_path, data, "score")
    files = fsspec.filesystem("memory")
    files.pipe("/runs/r1/job.json", (tmp_path / "job.json").read_bytes())
    run_job("memory://runs/r1")
    left = {name.removeprefix("/runs/r1/") for name in files.find("/runs/r1")}
    assert {"result.json", "progress.json", "profile.json", "model.pkl", "mlflow-model/MLmodel"} <= left
    result = from_json(TrainingResult, json.loads(files.cat("/runs/r1/result.json")))
    assert result.rows_test == 48


def test_a_run_beyond_its_memory_ends_and_says_what_to_write(data: str, tmp_path: Path) -> None:
    order(tmp_path, data, "score", memory_limit_mb=60)
    script = f"from pipelines.retrain.training import run_job; run_job({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == REFUSED_EXIT
    assert error_of(tmp_path)["kind"] == "memory"
    assert "60 MB" in error_of(tmp_path)["sentence"]
    assert "`memory_limit_mb: 1024` for small" in error_of(tmp_path)["sentence"]


# A team's own trainer


class Mean:
    """The simplest model: always the mean."""

    def __init__(self, mean: float) -> None:
        self.mean = mean

    def predict(self, features: Any) -> Any:
        return np.full(len(features), self.mean)


def learn_mean(rows: Any, job: TrainingJob) -> Any:
    return Mean(rows[job.target].mean())


def raise_key_error(rows: Any, job: TrainingJob) -> Any:
    return rows["no such column"]


def answer_nothing(rows: Any, job: TrainingJob) -> Any:
    return None


def answer_nan(rows: Any, job: TrainingJob) -> Any:
    return Mean(float("nan"))


def unpicklable(rows: Any, job: TrainingJob) -> Any:
    fitted = Mean(1.0)
    fitted.lock = sys.stdout.buffer  # type: ignore[attr-defined]
    return fitted


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of this file, importable as a module of the team's."""
    module = types.ModuleType("team_trainers")
    for thing in (Mean, learn_mean, raise_key_error, answer_nothing, answer_nan, unpicklable):
        monkeypatch.setattr(thing, "__module__", "team_trainers")
        setattr(module, thing.__name__, thing)
    monkeypatch.setitem(sys.modules, "team_trainers", module)


@pytest.mark.usefixtures("team")
def test_an_own_trainer_is_judged_like_the_built_in_one(data: str, tmp_path: Path) -> None:
    order(tmp_path, data, "score", trainer="team_trainers:learn_mean")
    run_job(tmp_path)
    result = result_of(tmp_path)
    assert result.estimator == "team_trainers:learn_mean"
    assert result.metrics["r2"] == pytest.approx(0, abs=0.1)


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(
    ("trainer", "sentence"),
    [
        ("team_trainers", "not of the form package.module:function"),
        ("no_such_module:train", "could not be imported: ModuleNotFoundError"),
        ("team_trainers:no_such_function", "could not be imported: AttributeError"),
        ("team_trainers:raise_key_error", "failed: KeyError"),
        ("team_trainers:answer_nothing", "answered a NoneType without a method predict"),
        ("team_trainers:answer_nan", "something else than finite numbers"),
        ("team_trainers:unpicklable", "cannot be pickled"),
        ("image:trainer", "is run as an image, by the runner"),
    ],
)
def test_an_own_trainer_at_fault_is_told_as_such(trainer: str, sentence: str, data: str, tmp_path: Path) -> None:
    order(tmp_path, data, "score", trainer=trainer)
    with pytest.raises(Refused, match=sentence):
        run_job(tmp_path)
    assert error_of(tmp_path)["kind"] == "trainer"
    assert not (tmp_path / "result.json").exists()


def test_the_search_draws_the_same_candidates_for_the_same_seed() -> None:
    drawn = candidates(8, seed=7)
    assert drawn == candidates(8, seed=7)
    assert drawn[2:] != candidates(8, seed=8)[2:]
    assert {candidate.family for candidate in drawn} == {"linear", "boosting"}
    assert len(candidates(1, seed=7)) == 1


def test_the_bot_needs_no_science_to_judge_and_to_read_results() -> None:
    script = (
        "import sys, pipelines.retrain.gate, pipelines.retrain.values, pipelines.profiles\n"
        "import pipelines.retrain.training, pipelines.json_values\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'mlflow', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
