"""What the model registry promises, on a SQLite store and on a real MLflow server."""

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clients.mlflow import MlflowRegistry
from bot.clients.storage import file_sha256
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import to_json
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile
from pipelines.retrain.values import Importance, Spread, TrainingResult

TAGS = {"shipmate.requester": "Ben Okafor", "shipmate.approval_id": "run-1"}


@pytest.fixture(params=["sqlite", "server"])
def tracking_uri(request, tmp_path, empty_store):
    if request.param == "server":
        return request.getfixturevalue("mlflow_server_url")
    (tmp_path / "mlflow.sqlite").write_bytes(empty_store.read_bytes())
    return f"sqlite:///{tmp_path / 'mlflow.sqlite'}"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """Made once: its migrations take seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.sqlite"
    assert MlflowRegistry(f"sqlite:///{path}", "", str(path.parent / "files")).champion("churn") is None
    return path


@pytest.fixture
def registry(tracking_uri, tmp_path):
    return MlflowRegistry(tracking_uri, "http://ui.example", str(tmp_path / "files"))


@pytest.fixture
def model(request):
    """The server lives for the whole session, so each test has a model of its own."""
    return "churn-" + "".join(c for c in request.node.name if c.isalnum())[:80]


@pytest.fixture
def result(workdir):
    return TrainingResult(
        run_id="run-1", metrics={"roc_auc": 0.81, "log_loss": float("nan")},
        cross_validation={"roc_auc": Spread(0.8, 0.02)}, champion_metrics={"roc_auc": 0.7},
        importance=(Importance("age", 0.1, 0.01),), coverage=None, rows_train=80, rows_test=20, features=("age",),
        data_sha256="d" * 64, estimator="Linear model", seconds=1.5, peak_memory_mb=99.0,
        model_sha256=file_sha256(workdir / "model.pkl"),
    )  # fmt: skip


@pytest.fixture
def workdir(tmp_path):
    folder = tmp_path / "run-1"
    (folder / "mlflow-model").mkdir(parents=True)
    (folder / "model.pkl").write_bytes(b"a pickle " * 1000)
    (folder / "mlflow-model" / "MLmodel").write_text("flavors: {}\n")
    (folder / "profile.json").write_text("{}")
    (folder / "result.json").write_text("{}")
    return folder


class TestRegistry:
    def test_a_model_that_nobody_registered_has_no_champion_and_no_versions(self, registry, model):
        assert registry.champion(model) is None
        assert list(registry.versions(model)) == []

    def test_a_registered_version_tells_its_metrics_tags_and_address(
        self, registry, model, make_retrain, result, workdir
    ):
        version = registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        assert (version.model, version.version, version.run_id) == (model, 1, "run-1")
        assert version.metrics["roc_auc"] == 0.81
        assert version.tags["shipmate.requester"] == "Ben Okafor"
        assert version.tags["shipmate.data_sha256"] == "d" * 64
        assert version.url == f"http://ui.example/#/models/{model}/versions/1"
        assert version.created_at.year >= 2026

    def test_run_metrics_and_artefacts_are_kept(
        self, registry, tracking_uri, model, make_retrain, result, workdir, tmp_path
    ):
        from mlflow import MlflowClient

        registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        client = MlflowClient(tracking_uri)
        experiment = client.get_experiment_by_name(model)
        (run,) = client.search_runs([experiment.experiment_id])
        assert run.info.status == "FINISHED"
        assert run.data.metrics["cv_mean_roc_auc"] == 0.8
        assert run.data.metrics["champion_roc_auc"] == 0.7
        assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {
            "model.pkl", "mlflow-model", "profile.json", "result.json",
        }  # fmt: skip
        assert client.get_model_version(model, "1").source.endswith("mlflow-model")

    def test_the_champions_profile_is_the_reference_and_others_have_none(
        self, registry, model, make_retrain, result, workdir
    ):
        profile = ReferenceProfile(
            model, "run-1", 100, {"age": Numbers((30.0,), (40, 60), minimum=-math.inf)}, Categories({"0": 1}),
            Categories({"0": 1}),
        )  # fmt: skip
        assert registry.reference(model) is None
        registry.register(make_retrain("run-0", model), result, workdir, TAGS)
        registry.assign(model, "champion", 1)
        assert registry.reference(model) is None, "its profile is none of ours"
        (workdir / "profile.json").write_text(json.dumps(to_json(profile)))
        told = [{"feature": "age", "mean": 0.25, "deviation": 0.1}, {"feature": "plan", "mean": -0.01, "deviation": 0}]
        (workdir / "result.json").write_text(json.dumps({"importance": told}))
        registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        assert registry.reference(model) is None, "the champion is still the other one"
        moved = []
        registry.listen(moved.append)
        registry.assign(model, "challenger", 2)
        registry.assign(model, "champion", 2)
        assert moved == [model], "who listens hears of champions alone"
        assert registry.reference(model) == Reference("2", profile, {"age": 0.25, "plan": 0.0})

    def test_registering_a_run_again_answers_the_same_version(self, registry, model, make_retrain, result, workdir):
        retrain = make_retrain("run-1", model)
        first = registry.register(retrain, result, workdir, TAGS)
        assert registry.register(retrain, result, workdir, TAGS) == first
        assert len(registry.versions(model)) == 1

    def test_another_run_becomes_the_next_version_and_is_listed_first(
        self, registry, model, make_retrain, result, workdir
    ):
        registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        registry.register(make_retrain("run-2", model), replace(result, run_id="run-2"), workdir, TAGS)
        assert [version.version for version in registry.versions(model)] == [2, 1]
        assert [version.run_id for version in registry.versions(model, limit=1)] == ["run-2"]

    def test_an_alias_moves_from_version_to_version(self, registry, model, make_retrain, result, workdir):
        registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        registry.register(make_retrain("run-2", model), result, workdir, TAGS)
        registry.assign(model, "champion", 1)
        assert registry.champion(model).version == 1
        registry.assign(model, "champion", 2)
        registry.assign(model, "challenger", 2)
        assert registry.champion(model).aliases == ("challenger", "champion")
        assert [version.aliases for version in registry.versions(model)] == [("challenger", "champion"), ()]

    def test_one_version_is_found_by_its_number_with_its_aliases(self, registry, model, make_retrain, result, workdir):
        assert registry.version(model, 1) is None
        first = registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        registry.register(make_retrain("run-2", model), result, workdir, TAGS)
        registry.assign(model, "champion", 2)
        registry.assign(model, "previous", 1)
        assert registry.version(model, 1) == replace(first, aliases=("previous",))
        assert registry.version(model, 3) is None

    def test_the_pickle_comes_back_as_it_was_registered(self, registry, model, make_retrain, result, workdir, tmp_path):
        version = registry.register(make_retrain("run-1", model), result, workdir, TAGS)
        digest = registry.fetch_model(version, tmp_path / "champion.pkl")
        assert (tmp_path / "champion.pkl").read_bytes() == (workdir / "model.pkl").read_bytes()
        assert digest == result.model_sha256

    def test_a_pickle_that_is_not_the_one_that_was_promised_is_refused(
        self, registry, model, make_retrain, result, workdir, tmp_path
    ):
        changed = replace(result, model_sha256="0" * 64)
        version = registry.register(make_retrain("run-1", model), changed, workdir, TAGS)
        with pytest.raises(Refused, match="not the one that was registered"):
            registry.fetch_model(version, tmp_path / "champion.pkl")
        assert not (tmp_path / "champion.pkl").exists()

    def test_a_version_that_somebody_made_by_hand_is_shown_with_its_runs_metrics(self, registry, tracking_uri, model):
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri, registry_uri=tracking_uri)
        run = client.create_run(client.create_experiment(f"by hand {model}"))
        client.log_metric(run.info.run_id, "rmse", 4.0)
        client.create_registered_model(model)
        client.create_model_version(model, run.info.artifact_uri, run.info.run_id, await_creation_for=0)
        (version,) = registry.versions(model)
        assert (version.run_id, version.metrics) == ("", {"rmse": 4.0})

    def test_a_version_without_a_pickle_cannot_be_fetched_and_says_so(self, registry, tracking_uri, model, tmp_path):
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri, registry_uri=tracking_uri)
        location = (tmp_path / "by hand").as_uri() if tracking_uri.startswith("sqlite") else None
        run = client.create_run(client.create_experiment(f"by hand {model}", location))
        client.create_registered_model(model)
        client.create_model_version(model, run.info.artifact_uri, run.info.run_id, await_creation_for=0)
        (version,) = registry.versions(model)
        with pytest.raises(Refused, match=r"holds no model\.pkl"):
            registry.fetch_model(version, tmp_path / "champion.pkl")

    def test_a_run_that_registers_twice_at_once_ends_as_one_version(
        self, registry, model, make_retrain, result, workdir
    ):
        retrain = make_retrain("run-1", model)
        with ThreadPoolExecutor(3) as crowd:
            list(crowd.map(lambda _: registry.register(retrain, result, workdir, TAGS), range(3)))
        registry.register(retrain, result, workdir, TAGS)
        assert len(registry.versions(model)) == 1


@pytest.fixture
def in_bucket(empty_store, tmp_path, monkeypatch, s3_endpoint, bucket):
    """A registry whose artefacts lie in a bucket."""
    (tmp_path / "mlflow.sqlite").write_bytes(empty_store.read_bytes())
    for name, value in {
        "MLFLOW_S3_ENDPOINT_URL": s3_endpoint, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return MlflowRegistry(f"sqlite:///{tmp_path / 'mlflow.sqlite'}", "", bucket.url("mlflow"))


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
class TestArtefactsInABucket:
    def test_they_lie_in_the_bucket_and_come_back(self, in_bucket, bucket, make_retrain, result, workdir, tmp_path):
        version = in_bucket.register(make_retrain("run-1"), result, workdir, TAGS)
        assert [key for key in bucket.keys("mlflow/churn") if key.endswith("artifacts/model.pkl")]
        assert in_bucket.fetch_model(version, tmp_path / "champion.pkl") == result.model_sha256

    def test_a_bucket_that_is_gone_is_told(self, in_bucket, make_retrain, result, workdir, tmp_path):
        gone = MlflowRegistry(in_bucket._uri, "", "s3://no-such-bucket-at-all/mlflow")
        with pytest.raises(Unavailable, match="MLflow"):
            gone.register(make_retrain("run-1"), result, workdir, TAGS)


class Killed(BaseException):
    """Nothing of ours may catch it, as nothing survives a kill."""


class Mortal:
    """MLflow's client, until so many calls were made; the last one is done and its answer never heard."""

    def __init__(self, client, calls):
        self._client, self._calls = client, calls

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(*arguments, **named):
            answer = method(*arguments, **named)
            self._calls -= 1
            if self._calls == 0:
                raise Killed
            return answer

        return call


def test_a_registration_that_is_cut_off_after_any_call_ends_as_one_run_and_one_version(
    empty_store, tmp_path, make_retrain, result, workdir
):
    store = tmp_path / "mlflow.sqlite"
    store.write_bytes(empty_store.read_bytes())
    uri, files = f"sqlite:///{store}", str(tmp_path / "files")
    whole = MlflowRegistry(uri, "", files)
    client = whole._client()
    for calls in range(1, 40):
        retrain = make_retrain(f"run-{calls}", f"churn-{calls}")
        victim = MlflowRegistry(uri, "", files)
        victim._connected = Mortal(client, calls)
        try:
            victim.register(retrain, result, workdir, {})
        except Killed:
            cut_off = True
        else:
            cut_off = False
        whole.register(retrain, result, workdir, {})
        experiment = client.get_experiment_by_name(f"churn-{calls}")
        assert len(client.search_runs([experiment.experiment_id])) == 1
        assert len(client.search_model_versions(f"name = 'churn-{calls}'")) == 1
        if not cut_off:
            break
    assert not cut_off
    assert calls > 10


KILLED = """
import json, sys
from pathlib import Path
from bot.clients.mlflow import MlflowRegistry
from pipelines.json_values import from_json
from pipelines.retrain.values import Retrain, TrainingResult
uri, files, folder, values = sys.argv[1:]
given = json.loads(values)
registry = MlflowRegistry(uri, "", files)
registry.champion("warm")
print("ready", flush=True)
registry.register(from_json(Retrain, given["retrain"]), from_json(TrainingResult, given["result"]), Path(folder), {})
print("done", flush=True)
"""


def test_a_registration_that_is_killed_at_any_moment_ends_as_one_run_and_one_version(
    empty_store, tmp_path, make_retrain, result, workdir
):
    from mlflow import MlflowClient

    store = tmp_path / "mlflow.sqlite"
    store.write_bytes(empty_store.read_bytes())
    uri, files = f"sqlite:///{store}", str(tmp_path / "files")
    for number, moment in enumerate((0.02, 0.08, 0.16, 0.3)):
        retrain = make_retrain(f"run-{number}", f"churn-{number}")
        values = json.dumps({"retrain": to_json(retrain), "result": to_json(result)})
        command = [sys.executable, "-c", KILLED, uri, files, str(workdir), values]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
            assert victim.stdout.readline() == "ready\n"
            time.sleep(moment)
            victim.send_signal(signal.SIGKILL)
        MlflowRegistry(uri, "", files).register(retrain, result, workdir, {})
        client = MlflowClient(uri, registry_uri=uri)
        experiment = client.get_experiment_by_name(f"churn-{number}")
        assert len(client.search_runs([experiment.experiment_id])) == 1
        assert len(client.search_model_versions(f"name = 'churn-{number}'")) == 1


class TestWhenMlflowIsInTrouble:
    def test_a_locked_store_is_told_within_ten_seconds(self, empty_store, tmp_path, make_retrain, result, workdir):
        store = tmp_path / "mlflow.sqlite"
        store.write_bytes(empty_store.read_bytes())
        registry = MlflowRegistry(f"sqlite:///{store}", "", str(tmp_path / "files"))
        assert registry.champion("churn") is None
        other = sqlite3.connect(store, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        # Well before the twenty seconds that MLflow would wait.
        release = threading.Timer(15, other.interrupt)
        release.start()
        with pytest.raises(Unavailable, match="locked by another process"):
            registry.register(make_retrain(), result, workdir, {})
        assert release.is_alive()
        release.cancel()
        other.execute("ROLLBACK")
        other.close()
        assert registry.register(make_retrain(), result, workdir, {}).version == 1

    def test_a_server_that_is_down_is_told(self, monkeypatch):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(Unavailable, match="cannot be reached"):
            MlflowRegistry("http://127.0.0.1:1", "", "").champion("churn")

    def test_a_server_that_never_answers_is_told(self, monkeypatch, silent_server):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(Unavailable, match="MLflow"):
            MlflowRegistry(silent_server, "", "").versions("churn")

    def test_a_name_with_quotes_is_refused(self, empty_store, tmp_path):
        registry = MlflowRegistry(f"sqlite:///{empty_store}", "", str(tmp_path))
        with pytest.raises(Refused, match="quotes"):
            registry.versions("churn' OR name LIKE '%")


@pytest.fixture
def silent_server():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_the_registry_needs_no_full_mlflow():
    blocked = "import sys\nsys.modules['sklearn'] = sys.modules['pandas'] = sys.modules['flask'] = None\n"
    code = blocked + "from bot.clients.mlflow import MlflowRegistry; import tempfile\n"
    code += "folder = tempfile.mkdtemp()\n"
    code += "assert MlflowRegistry(f'sqlite:///{folder}/m.sqlite', '', folder).champion('churn') is None"
    ran = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_registry_that_was_killed_while_it_was_made_is_made_anew(tmp_path):
    """Migrations are no transaction: what is at the place is either whole or not there."""
    path = tmp_path / "registry" / "mlflow.sqlite"
    script = f"from bot.clients.mlflow import MlflowRegistry; MlflowRegistry('sqlite:///{path}', '', '').warm()"
    for seconds in (3.0, 4.0, 5.0):
        process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()
    assert MlflowRegistry(f"sqlite:///{path}", "", "").versions("churn") == []
