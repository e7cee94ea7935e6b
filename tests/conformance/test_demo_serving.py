"""The demo's model server, run as the demo runs it, against the Open Inference Protocol's own schemas."""

import json
import shutil
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest
from open_inference import SCHEMAS

from bot.clients.mlflow import MlflowRegistry
from bot.demo.lending import FEATURES, USUAL, applications, loans
from bot.demo.serving.order import ServingOrder
from bot.demo.serving.process import ServingProcess
from bot.demo.traffic import tensors
from pipelines.drift.events import read_events
from pipelines.drift.joining import paired
from pipelines.drift.signatures import Signature
from pipelines.json_values import from_json, to_json
from pipelines.retrain.training import run_job
from pipelines.retrain.values import GateRule, Retrain, TrainingJob, TrainingPlan, TrainingResult

MODEL = "loan-default"
READY_SECONDS = 240


class Listener:
    """Takes what the logger sends, in the bot's place; answers with `statuses` first, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.batches: list[tuple[bytes, dict[str, str]]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                status = listener.statuses.pop(0) if listener.statuses else 200
                if status == 200:
                    listener.batches.append((content, dict(self.headers)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/inference"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Served:
    """A registry with two versions of the model, of which the first is the champion, and the process that serves it."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"sqlite:///{folder / 'mlflow.sqlite'}"
        self.registry = MlflowRegistry(self.uri, "", str(folder / "artefacts"))
        self._train(folder)
        self.listener = Listener()
        order = ServingOrder(MODEL, self.uri, self.listener.url, "a-token", log_every_seconds=0.05)
        self.process = ServingProcess(order, folder)
        self.process.start()
        self.client = httpx.Client(base_url=self.process.url, trust_env=False, timeout=30)
        wait_until(lambda: self.client.get("/v2/health/ready").status_code == 200)

    def _train(self, folder: Path) -> None:
        loans(600).to_csv(folder / "loans.csv", index=False)
        for number in (1, 2):
            workdir = folder / f"run-{number}"
            workdir.mkdir()
            job = TrainingJob(
                run_id=f"{MODEL}-{number}", model=MODEL, problem="classification", data=str(folder / "loans.csv"),
                target="defaulted", trainer="builtin", workdir=str(workdir), positive_label="yes", seed=number,
                search_candidates=1, folds=2,
            )  # fmt: skip
            (workdir / "job.json").write_text(json.dumps(to_json(job)))
            run_job(workdir)
            result = from_json(TrainingResult, json.loads((workdir / "result.json").read_bytes()))
            self.registry.register(retrain_of(job, result), result, workdir, {})
        self.registry.assign(MODEL, "champion", 1)

    def close(self) -> None:
        self.client.close()
        self.process.stop()
        self.listener.close()


def retrain_of(job: TrainingJob, result: TrainingResult) -> Retrain:
    plan = TrainingPlan(
        run_id=job.run_id, model=MODEL, problem="classification", data=job.data, data_version="1", rows=600, columns=9,
        target=job.target, trainer="builtin", runner="local", seed=job.seed, gate=GateRule("accuracy"),
        champion_version=None, champion_metrics={}, memory_limit_mb=2048, timeout_minutes=10, estimated_minutes=None,
        estimated_cost=0.0, requester_id="U0BEN", requester_name="Ben", trigger="person",
    )  # fmt: skip
    now = datetime.now(UTC)
    return Retrain(job.run_id, plan, "registered", result=result, started_at=now, finished_at=now)


def wait_until(holds: Any, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    made = Served(tmp_path_factory.mktemp("serving"))
    yield made
    made.close()


def asked(rows: int, name: str = "r1") -> dict[str, Any]:
    table = applications(np.random.default_rng(3), rows, USUAL)
    return {"id": name, "inputs": tensors(table)}


def conforms(answer: httpx.Response, schema: str, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    jsonschema.Draft202012Validator(SCHEMAS[schema]).validate(answer.json())
    return answer.json()


def test_server_and_model_describe_themselves_as_the_protocol_says(served) -> None:
    assert served.client.get("/v2/health/live").status_code == 200
    conforms(served.client.get("/v2"), "metadata_server_response")
    found = conforms(served.client.get(f"/v2/models/{MODEL}"), "metadata_model_response")
    assert [tensor["name"] for tensor in found["inputs"]] == list(FEATURES)
    assert served.client.get(f"/v2/models/{MODEL}/ready").status_code == 200
    assert served.client.get(f"/v2/models/{MODEL}/versions/{found['versions'][0]}/ready").status_code == 200


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_an_inference_answers_a_label_and_probabilities_a_row(served, rows: int) -> None:
    found = conforms(served.client.post(f"/v2/models/{MODEL}/infer", json=asked(rows)), "inference_response")
    predict, probabilities = found["outputs"]
    assert found["id"] == "r1"
    assert predict["shape"] == [rows]
    assert len(predict["data"]) == rows
    assert set(predict["data"]) <= {"yes", "no"}
    assert probabilities["shape"] == [rows, 2]
    pairs = np.array(probabilities["data"]).reshape(rows, 2)
    assert np.allclose(pairs.sum(axis=1), 1, atol=1e-5)
    assert [("no", "yes")[place] for place in pairs.argmax(axis=1)] == predict["data"]


def test_the_first_protocol_answers_the_same(served) -> None:
    body = asked(5)
    columns = {tensor["name"]: tensor["data"] for tensor in body["inputs"]}
    rows = [{name: values[place] for name, values in columns.items()} for place in range(5)]
    second = served.client.post(f"/v2/models/{MODEL}/infer", json=body).json()["outputs"][0]["data"]
    for instances in (rows, [[row[name] for name in FEATURES] for row in rows]):
        answer = served.client.post(f"/v1/models/{MODEL}:predict", json={"instances": instances})
        assert answer.json() == {"predictions": second}


def test_only_the_outputs_that_are_asked_for_come(served) -> None:
    body = asked(2) | {"outputs": [{"name": "predict"}]}
    found = conforms(served.client.post(f"/v2/models/{MODEL}/infer", json=body), "inference_response")
    assert [output["name"] for output in found["outputs"]] == ["predict"]


def change(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**body, "inputs": [{**body["inputs"][0], **changes}, *body["inputs"][1:]]}


WRONG: list[tuple[str, Any]] = [
    ("not JSON", b"{"), ("a list", []), ("nothing", {}), ("no tensor", {"inputs": [1]}),
    ("no inputs", {"inputs": []}), ("too few values", change(asked(3), shape=[4])),
    ("a matrix", change(asked(4), shape=[2, 2])), ("another type", change(asked(3), data=["a", "b", "c"])),
    ("an unknown type", change(asked(3), datatype="COMPLEX")), ("unequal", change(asked(3), shape=[1], data=[1])),
    ("a negative shape", change(asked(3), shape=[-3])), ("a feature less", {"inputs": asked(3)["inputs"][1:]}),
    ("an unknown output", asked(2) | {"outputs": [{"name": "hidden"}]}), ("a number as id", asked(2) | {"id": 7}),
    ("too many rows", {"inputs": [{"name": "income", "datatype": "FP64", "shape": [10_001], "data": [1] * 10_001}]}),
    ("deep", b"[" * 100_000),
]  # fmt: skip


@pytest.mark.parametrize("body", [body for _, body in WRONG], ids=[name for name, _ in WRONG])
def test_what_is_not_of_the_protocol_is_told_in_its_error_object(served, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = conforms(served.client.post(f"/v2/models/{MODEL}/infer", content=content), "inference_error_response", 400)
    assert told["error"]
    assert "Traceback" not in told["error"]


def test_other_models_other_versions_and_huge_bodies_are_refused(served) -> None:
    for path in ("/v2/models/nobody", f"/v2/models/{MODEL}/versions/99", f"/v2/models/{MODEL}/versions/99/ready"):
        conforms(served.client.get(path), "inference_error_response", 404)
    huge = served.client.post(f"/v2/models/{MODEL}/infer", content=b" " * 8_000_001)
    conforms(huge, "inference_error_response", 413)


def halves_of(served, event_id: str) -> list[Any]:
    """The request and the response of this event, once they came; they may come in one batch or in two."""
    found = [half for content, sent in served.listener.batches for half in read_events(content, sent).halves]
    return [half for half in found if half.id == event_id]


def logged(served, event_id: str) -> list[Any]:
    wait_until(lambda: len(halves_of(served, event_id)) == 2)
    return halves_of(served, event_id)


def deliveries(served) -> dict[str, Any]:
    told: dict[str, Any] = served.client.get("/deliveries").json()
    return told


def nothing_waits(served) -> None:
    """Events are sent in their order, and a last one came."""
    mark = f"mark-{len(served.listener.batches)}"
    served.client.post(f"/v2/models/{MODEL}/infer", json=asked(1, mark), headers={"ce-id": mark})
    logged(served, mark)


def test_what_was_asked_and_answered_reaches_the_listener_as_kserve_logs_it(served) -> None:
    headers = {"ce-id": "event-1", "ce-time": "2026-03-04T05:06:07+00:00"}
    served.client.post(f"/v2/models/{MODEL}/infer", json=asked(3, "event-1"), headers=headers)
    halves = logged(served, "event-1")
    for _, sent in served.listener.batches:
        assert sent["Authorization"] == "Bearer a-token"
        assert sent["Content-Type"] == "application/cloudevents-batch+json"
    assert [(half.model, half.is_request) for half in halves] == [(MODEL, True), (MODEL, False)]
    pairs, _ = paired(halves)
    records = [record for pair in pairs for record in pair.records(Signature(tuple(FEATURES))).records]
    assert [record.id for record in records] == ["event-1#0", "event-1#1", "event-1#2"]
    assert {record.at for record in records} == {datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)}
    assert all(record.version in {"1", "2"} and 0.5 <= record.confidence <= 1 for record in records)


def test_events_are_sent_again_when_the_listener_was_away_and_not_when_it_refused_them(served) -> None:
    nothing_waits(served)
    served.listener.statuses = [503, 500, 429]
    served.client.post(f"/v2/models/{MODEL}/infer", json=asked(1, "again"), headers={"ce-id": "again"})
    logged(served, "again")
    assert served.listener.statuses == []
    wait_until(lambda: (deliveries(served)["waiting"], deliveries(served)["problem"]) == (0, ""))
    nothing_waits(served)
    served.listener.statuses = [400]
    served.client.post(f"/v2/models/{MODEL}/infer", json=asked(1), headers={"ce-id": "refused"})
    wait_until(lambda: not served.listener.statuses)
    nothing_waits(served)
    assert not any(half.is_request for half in halves_of(served, "refused")), "the first that came was refused"
    assert deliveries(served)["refused"] in (1, 2), "the request, and the response where it was in one batch with it"


def test_the_server_follows_the_alias_and_answers_with_the_registrys_number(served) -> None:
    def version() -> str:
        return served.client.post(f"/v2/models/{MODEL}/infer", json=asked(1)).json()["model_version"]

    assert version() == "1"
    served.registry.assign(MODEL, "champion", 2)
    wait_until(lambda: version() == "2")
    served.registry.assign(MODEL, "champion", 1)
    wait_until(lambda: version() == "1")


def test_a_pickle_that_was_exchanged_is_not_loaded_and_the_old_version_goes_on(served, tmp_path: Path) -> None:
    (pickle,) = [path for path in find_pickles(served) if path.read_bytes() and "2" in version_of(served, path)]
    original = tmp_path / "original.pkl"
    shutil.copyfile(pickle, original)
    marker = tmp_path / "it-ran"
    pickle.write_bytes(b"cposix\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    try:
        served.registry.assign(MODEL, "champion", 2)
        log = Path(served.process._folder) / "serving.log"
        wait_until(lambda: "is not the one that was registered" in log.read_text())
        answer = served.client.post(f"/v2/models/{MODEL}/infer", json=asked(1)).json()
        assert answer["model_version"] == "1"
        assert not marker.exists()
    finally:
        shutil.copyfile(original, pickle)
        served.registry.assign(MODEL, "champion", 1)


def find_pickles(served) -> list[Path]:
    return list(Path(served.process._folder, "artefacts").rglob("model.pkl"))


def version_of(served, pickle: Path) -> str:
    """The version whose digest this file has."""
    from bot.clients.storage import file_sha256

    digest = file_sha256(pickle)
    found = [version for version in served.registry.versions(MODEL) if version.tags["shipmate.model_sha256"] == digest]
    return str(found[0].version) if "mlflow-model" not in str(pickle) else ""


def test_the_process_ends_with_whoever_started_it(tmp_path: Path) -> None:
    process = ServingProcess(ServingOrder(MODEL, f"sqlite:///{tmp_path / 'none.sqlite'}"), tmp_path)
    process.start()
    assert httpx.get(f"{process.url}/v2/health/live", trust_env=False, timeout=30).status_code == 200
    assert httpx.get(f"{process.url}/v2/health/ready", trust_env=False, timeout=30).status_code == 503
    answer = httpx.post(f"{process.url}/v2/models/{MODEL}/infer", json=asked(1), trust_env=False, timeout=30)
    conforms(answer, "inference_error_response", 503)
    child = process._process
    assert child is not None
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(120) == 0
    assert child.stdout is not None
    child.stdout.close()
