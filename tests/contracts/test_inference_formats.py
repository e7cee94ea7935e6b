"""Every form in which requests, answers and labels come, over the real route into a real ledger."""

import base64
import gzip
import itertools
import json
import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pytest
from records_server import TOKEN

from bot.arrivals import Arrivals
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.routes.drift import drift_routes
from bot.server import ServerThread, build_server
from bot.telemetry import Telemetry
from pipelines.drift.intake import Intake
from pipelines.drift.receiving import Receiver
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile

EDGES = (10.0, 20.0, 30.0)
AGE, PLAN, SINCE = Numbers(EDGES, (25,) * 4), Categories({"basic": 60, "pro": 40}), Numbers((19_000.0,), (50, 50))
NAMES, DIGITS = Categories({"stays": 70, "leaves": 30}), Categories({"0": 70, "1": 30})
AMOUNTS = Numbers((100.0,), (50, 50))
KINDS = Categories({"setosa": 30, "virginica": 30, "versicolor": 40})
WIDE = {f"w{place}": AGE for place in range(4)}
# model kind -> features, target
PROFILES: dict[str, tuple[Mapping[str, Any], Any]] = {
    "names": ({"age": AGE, "plan": PLAN}, NAMES), "digits": ({"age": AGE, "plan": PLAN}, DIGITS),
    "amount": ({"age": AGE}, AMOUNTS), "kinds": (WIDE, KINDS), "dates": ({"since": SINCE}, DIGITS),
    "ordered": (WIDE, KINDS),
}  # fmt: skip
KIND = "org.kubeflow.serving.inference."
MODELS = [f"{kind}-{number}" for kind in PROFILES for number in range(200)]
LONG_AGO, FAR = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
CLASSES = {name: ("virginica", "versicolor", "setosa") for name in MODELS if name.startswith("ordered")}


class Registry:
    def reference(self, model: str) -> Reference | None:
        features, target = PROFILES[model.partition("-")[0]]
        return Reference(
            "1", ReferenceProfile(model, "r1", 100, dict(features), target, target, Numbers((0.7,), (5, 5)))
        )

    def reference_of(self, model: str, version: str) -> Reference | None:
        return None


class Side:
    """The route over a ledger; each test has models of its own."""

    def __init__(self, ledger: Ledger, client: httpx.Client) -> None:
        self.ledger = ledger
        self.client = client
        self._number = itertools.count()
        self._ids = itertools.count()

    def model(self, kind: str) -> str:
        return f"{kind}-{next(self._number)}"

    def send(
        self, model: str, kind: str, body: bytes | Mapping[str, Any], event_id: str = "e", **sent: str
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Ce-Id": event_id, "Ce-Type": KIND + kind, "Ce-Inferenceservicename": model, "Ce-Specversion": "1.0",
            "Ce-Source": "http://localhost:9081/", "Content-Type": "application/json",
        }  # fmt: skip
        return self.client.post("/inference", content=content, headers=headers | sent)

    def pair(self, model: str, asked: bytes | Mapping[str, Any], said: bytes | Mapping[str, Any]) -> dict[str, Any]:
        event_id = f"e{next(self._ids)}"
        assert self.send(model, "request", asked, event_id).status_code == 200
        answer = self.send(model, "response", said, event_id)
        assert answer.status_code == 200, answer.text
        return answer.json() | {"id": event_id}

    def total(self, model: str) -> Any:
        [hour] = self.ledger.profiles.windows(model, LONG_AGO, FAR)
        return hour.total

    def label(self, model: str, labels: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps({"model": model, "labels": labels})
        answer = self.client.post("/labels", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metric(self, line: str) -> float:
        lines = dict(each.rsplit(" ", 1) for each in self.client.get("/metrics").text.splitlines() if each[:1] != "#")
        return float(lines.get(line, 0))


@pytest.fixture(scope="module")
def side(tmp_path_factory):
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('formats') / 'ledger.sqlite'}", SystemClock())
    telemetry = Telemetry()
    counts = telemetry.drift
    intake = Intake(ledger.profiles, Registry(), SystemClock(), set(MODELS), counts=counts, classes=CLASSES)
    receiver = Receiver(intake, ledger.halves, ledger.together, SystemClock(), counts)
    server = build_server(
        None, telemetry, list, http_mode=False, arrivals=Arrivals(), routes=[drift_routes(receiver, intake)],
        tokens=[TOKEN],
    )  # fmt: skip
    thread = ServerThread(server, "127.0.0.1", 0)
    thread.start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    base = f"http://127.0.0.1:{thread.port}"
    with httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=60) as client:
        yield Side(ledger, client)
    thread.stop()
    ledger.close()


def tensor(name: str, data: Any, shape: list[int], datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


ROWS = [{"age": 15, "plan": "pro"}, {"age": 35, "plan": "basic"}]
TWO = {"predictions": ["stays", "leaves"]}
# Two rows each: ages 15 and 35, plans pro and basic.
REQUESTS: dict[str, Any] = {
    "v1 objects": {"instances": ROWS},
    "v1 objects of lists": {"instances": [{"age": [15], "plan": ["pro"]}, {"age": [35], "plan": ["basic"]}]},
    "v1 rows": {"instances": [[15, "pro"], [35, "basic"]]},
    "v1 rows of lists": {"instances": [[[15], ["pro"]], [[35], ["basic"]]]},
    "tensorflow columns": {"inputs": {"age": [15, 35], "plan": ["pro", "basic"]}},
    "tensorflow columns of lists": {"inputs": {"age": [[15], [35]], "plan": [["pro"], ["basic"]]}},
    "tensorflow matrix": {"inputs": {"dense_input": [[15, "pro"], [35, "basic"]]}},
    "tensorflow lone input": {"signature_name": "serving_default", "inputs": [[15, "pro"], [35, "basic"]]},
    "tensorflow input by row": {"instances": [{"dense_input": [15, "pro"]}, {"dense_input": [35, "basic"]}]},
    "mlflow split": {"dataframe_split": {"columns": ["plan", "age"], "data": [["pro", 15], ["basic", 35]]}},
    "mlflow records": {"dataframe_records": ROWS},
    "seldon ndarray": {"data": {"names": ["plan", "age"], "ndarray": [["pro", 15], ["basic", 35]]}},
    "v2 columns": {"inputs": [tensor("age", [15, 35], [2]), tensor("plan", ["pro", "basic"], [2, 1], "BYTES")]},
    "v2 nested columns": {
        "inputs": [tensor("age", [[15], [35]], [2, 1]), tensor("plan", [["pro"], ["basic"]], [2, 1])]
    },
    "v2 codec pd": {
        "parameters": {"content_type": "pd"},
        "inputs": [
            tensor("age", [15, 35], [2], "INT64"),
            tensor("plan", ["cHJv", "YmFzaWM="], [2], "BYTES", parameters={"content_type": "base64"}),
        ],
    },
    "v2 one tensor": {
        "inputs": [tensor("input-0", [15, "pro", 35, "basic"], [2, 2], parameters={"content_type": "np"})]
    },
    "v2 one nested tensor": {"inputs": [tensor("input-0", [[15, "pro"], [35, "basic"]], [2, 2])]},
    "v2 one tensor that names its columns": {
        "inputs": [tensor("x", ["pro", 15, "basic", 35], [2, 2], parameters={"columns": ["plan", "age"]})]
    },
    "v2 tensors of other names": {"inputs": [tensor("in_0", [15, 35], [2]), tensor("in_1", ["pro", "basic"], [2])]},
    "v2 three dimensions": {"inputs": [tensor("input-0", [15, "pro", 35, "basic"], [2, 1, 2])]},
    "v2 a column across": {"inputs": [tensor("age", [15, 35], [1, 2]), tensor("plan", ["pro", "basic"], [1, 2])]},
}  # fmt: skip


@pytest.mark.parametrize("form", list(REQUESTS))
def test_rows_are_the_same_in_every_form_of_request(side, form) -> None:
    model = side.model("names")
    assert side.pair(model, REQUESTS[form], TWO) | {"id": ""} == {"records": 2, "waiting": 0, "id": ""}
    total = side.total(model)
    assert (total.rows, total.features["age"].counts, total.features["age"].missing) == (2, (0, 1, 0, 1), 0)
    assert (total.features["plan"].counts, total.features["plan"].missing) == ({"basic": 1, "pro": 1}, 0)
    assert total.prediction.counts == {"stays": 1, "leaves": 1}


# Two rows each: stays, then leaves; sure by 0.75 and 0.75 where the form says how sure.
ANSWERS: dict[str, tuple[Any, bool]] = {
    "names": ({"predictions": ["stays", "leaves"]}, False),
    "places": ({"predictions": [1, 0]}, False),
    "whole floats": ({"predictions": [1.0, 0.0]}, False),
    "scores": ({"predictions": [[0.25, 0.75], [0.75, 0.25]]}, True),
    "sigmoid": ({"predictions": [[0.75], [0.25]]}, True),
    "flat sigmoid": ({"predictions": [0.75, 0.25]}, True),
    "objects": ({"predictions": [{"label": "stays", "confidence": 0.75}, {"class": "leaves", "score": 0.75}]}, True),
    "tensorflow estimator": (
        {"predictions": [
            {"class_ids": [1], "classes": ["1"], "probabilities": [0.25, 0.75]},
            {"class_ids": [0], "classes": ["0"], "probabilities": [0.75, 0.25]},
        ]}, True,
    ),
    "tensorflow classify": (
        {"outputs": {"classes": [["stays", "leaves"], ["stays", "leaves"]], "scores": [[0.75, 0.25], [0.25, 0.75]]}},
        True,
    ),
    "tensorflow columns": ({"outputs": [[0.25, 0.75], [0.75, 0.25]]}, True),
    "seldon": ({"data": {"names": ["t:0", "t:1"], "ndarray": [[0.25, 0.75], [0.75, 0.25]]}}, True),
    "seldon tensor": ({"data": {"tensor": {"shape": [2, 2], "values": [0.25, 0.75, 0.75, 0.25]}}}, True),
    "v2 names": ({"outputs": [tensor("predict", ["stays", "leaves"], [2], "BYTES")]}, False),
    "v2 scores": ({"outputs": [tensor("predict", [0.25, 0.75, 0.75, 0.25], [2, 2])]}, True),
    "v2 scores alone": ({"outputs": [tensor("predict_proba", [[0.25, 0.75], [0.75, 0.25]], [2, 2])]}, True),
    "v2 places and scores": (
        {"outputs": [tensor("predict", [1, 0], [2]), tensor("predict_proba", [0.25, 0.75, 0.75, 0.25], [2, 2])]}, True,
    ),
    "v2 scores first": (
        {"outputs": [
            tensor("probabilities", [0.25, 0.75, 0.75, 0.25], [2, 2]), tensor("label", ["stays", "leaves"], [2]),
        ]}, True,
    ),
    "v2 score of the second class": (
        {"outputs": [tensor("label", ["stays", "leaves"], [2]), tensor("score", [0.75, 0.25], [2])]}, True,
    ),
    "logits": ({"predictions": [[-3.0, 4.5], [2.0, -1.0]]}, False),
}  # fmt: skip


@pytest.mark.parametrize("form", list(ANSWERS))
def test_answers_in_every_form_are_the_classes_that_labels_name(side, form) -> None:
    model, (said, sure) = side.model("names"), ANSWERS[form]
    told = side.pair(model, REQUESTS["v1 rows"], said)
    assert (told["records"], told.get("incomplete", 0)) == (2, 0)
    total = side.total(model)
    assert total.prediction.counts == {"stays": 1, "leaves": 1}
    assert (total.confidence.count if total.confidence else 0) == (2 if sure else 0)
    if sure:
        assert total.confidence.mean == pytest.approx(0.75)
    labelled = side.label(model, {f"{told['id']}#0": "stays", f"{told['id']}#1": 1})
    assert labelled["met"] == 2
    outcomes = side.total(model).outcomes
    assert outcomes.confusion == {"stays": {"stays": 1}, "leaves": {"stays": 1}}


def test_scores_go_by_the_order_that_the_catalogue_names_else_by_the_sorted_one(side) -> None:
    for kind, expected in (("kinds", "versicolor"), ("ordered", "virginica")):
        model = side.model(kind)
        side.pair(model, {"instances": [[1, 2, 3, 4]]}, {"predictions": [[0.1, 0.7, 0.2]]})
        side.pair(model, {"inputs": [tensor("x", [1, 2, 3, 4], [4])]}, {"predictions": [[0.8, 0.1, 0.1]]})
        counts = side.total(model).prediction.counts
        assert sum(counts.values()) == 2
        assert counts["setosa" if kind == "kinds" else "virginica"] == 1
        assert counts["versicolor"] == 1, expected


def test_scores_of_more_classes_than_are_known_are_told_and_leave_the_answer_open(side) -> None:
    model = side.model("names")
    told = side.pair(model, REQUESTS["v1 rows"], {"predictions": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]})
    assert (told["records"], told["incomplete"]) == (2, 2)
    assert "3 scores where training knows 2 classes" in told["reason"]
    assert "records.classes" in told["reason"]
    assert side.total(model).prediction is None
    assert side.metric(f'shipmate_drift_records_incomplete_total{{model="{model}",what="unknown classes"}}') == 2


RAW = {
    "FP64": np.array([15, 35], "<f8"), "FP32": np.array([15, 35], "<f4"), "FP16": np.array([15, 35], "<f2"),
    "BF16": (np.array([15, 35], "<f4").view("<u4") >> 16).astype("<u2"), "INT64": np.array([15, 35], "<i8"),
    "INT32": np.array([15, 35], "<i4"), "UINT8": np.array([15, 35], "u1"),
}  # fmt: skip


def texts(*words: str) -> bytes:
    return b"".join(struct.pack("<I", len(word.encode())) + word.encode() for word in words)


def binary(kind: str, *parts: tuple[str, str, list[int], bytes], **more: Any) -> bytes:
    tensors = [
        {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(raw)}}
        for name, datatype, shape, raw in parts
    ]
    return json.dumps({kind: tensors, **more}).encode() + b"".join(raw for *_, raw in parts)


@pytest.mark.parametrize("datatype", list(RAW))
def test_binary_tensors_are_read_as_the_logger_copies_them(side, datatype) -> None:
    model = side.model("names")
    asked = binary(
        "inputs", ("age", datatype, [2], RAW[datatype].tobytes()), ("plan", "BYTES", [2, 1], texts("pro", "basic"))
    )
    said = binary("outputs", ("predict", "INT64", [2], np.array([1, 0], "<i8").tobytes()), model_version="1")
    assert side.pair(model, asked, said)["records"] == 2
    total = side.total(model)
    assert (total.features["age"].counts, total.features["plan"].counts) == ((0, 1, 0, 1), {"basic": 1, "pro": 1})
    assert total.prediction.counts == {"stays": 1, "leaves": 1}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (binary("inputs", ("age", "FP64", [2], b"\0" * 16))[:-1], "only 15 came"),
        (binary("inputs", ("age", "FP64", [2], b"\0" * 15)), "no whole values"),
        (binary("inputs", ("age", "FP8", [2], b"\0" * 2)), "none of the protocol"),
        (binary("inputs", ("plan", "BYTES", [1], struct.pack("<I", 2**31) + b"x")), "end is missing"),
        (binary("inputs", ("age", "FP64", [2], b"\0" * 16)) + b"more", "4 bytes behind"),
        (gzip.compress(b'{"instances": [[1, "pro"]]}')[:-9], "end is missing"),
        (b"\x1f\x8bnonsense", "cannot be unpacked"),
        (gzip.compress(b" " * 9_000_000), "unpacks to more than"),
        (b'{"instances": [[1, "pro"]]} and more', "not JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words_and_counted(side, content, told) -> None:
    before = side.metric('shipmate_drift_records_refused_total{source="http"}')
    answer = side.send(side.model("names"), "request", content)
    assert (answer.status_code, told in answer.json()["detail"]) == (400, True), answer.text
    after = side.metric('shipmate_drift_records_refused_total{source="http"}')
    assert after - before == 1


@pytest.mark.parametrize("packed", ["gzip", "deflate", "raw deflate", "unsaid", "structured"])
def test_packed_bodies_are_unpacked_also_where_no_header_says_so(side, packed) -> None:
    model, plain = side.model("names"), json.dumps(REQUESTS["v1 rows"]).encode()
    if packed == "structured":
        event = {
            "specversion": "1.0",
            "id": "z",
            "source": "s",
            "type": KIND + "request",
            "inferenceservicename": model,
        }
        said = event | {"type": KIND + "response", "data_base64": base64.b64encode(json.dumps(TWO).encode()).decode()}
        asked = event | {"data_base64": base64.b64encode(gzip.compress(plain)).decode()}
        told = side.client.post("/inference", json=[asked, said, event | {"id": "y", "data": plain.decode()}])
        assert told.json() == {"records": 2, "waiting": 1}
    else:
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content, encoding = {
            "gzip": (gzip.compress(plain), "gzip"), "deflate": (zlib.compress(plain), "deflate"),
            "raw deflate": (raw.compress(plain) + raw.flush(), "deflate"), "unsaid": (gzip.compress(plain), ""),
        }[packed]  # fmt: skip
        sent = {"Content-Encoding": encoding} if encoding else {}
        assert side.send(model, "request", content, f"p {packed}", **sent).status_code == 200
        assert side.send(model, "response", TWO, f"p {packed}").json()["records"] == 2
    assert side.total(model).features["age"].counts == (0, 1, 0, 1)
    assert side.send(model, "request", plain, "br", **{"Content-Encoding": "br"}).status_code == 400
    with side.ledger.together():
        side.ledger.halves.let_go(100)


def test_one_bad_event_or_row_never_loses_the_others(side) -> None:
    model = side.model("names")
    common = {"specversion": "1.0", "source": "s", "inferenceservicename": model}
    good = [{**common, "id": "g", "type": KIND + kind, "data": body}
            for kind, body in (("request", REQUESTS["v1 rows"]), ("response", TWO))]  # fmt: skip
    bad: list[Any] = [
        7, {"id": "no type"}, {**common, "id": "a", "type": KIND + "request", "data": [1]},
        {**common, "id": "b", "type": KIND + "request", "data_base64": "no base64!"},
        {**common, "id": "c", "type": KIND + "request", "data": "{broken"},
        {**common, "id": "d", "type": "org.kubeflow.serving.inference.explain", "data": {}},
    ]  # fmt: skip
    told = side.client.post("/inference", json=[*bad, *good]).json()
    assert (told["records"], told["refused"]) == (2, 6)
    assert side.client.post("/inference", json=bad[-1]).json()["refused"] == 1
    rows = [
        [15, "pro"],
        [15],
        [15, "pro", 3],
        [35, "basic"],
        {"other": 1},
        {"age": 25},
        {"age": 5, "plan": "pro", "x": 1},
    ]
    told = side.pair(model, {"instances": rows}, {"predictions": ["stays"] * 7})
    assert (told["records"], told["refused"], told["incomplete"]) == (4, 3, 1)
    assert "1 values where the model reads 2 columns" in told["reason"]
    assert side.label(model, {f"{told['id']}#3": "stays", f"{told['id']}#1": "stays"}) == {"met": 1, "waiting": 1}
    total = side.total(model)
    assert (total.rows, total.features["plan"].missing) == (6, 1)
    incomplete = f'shipmate_drift_records_incomplete_total{{model="{model}",what='
    assert side.metric(f'{incomplete}"lacking columns"}}') == 1
    assert side.metric(f'{incomplete}"unknown columns"}}') == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"inputs": [tensor("x", [1, 2, 3], [1, 3])]}, "3 values where the model reads 2"),
        ({"inputs": [tensor("age", [1, 2, 3], [2])]}, "its shape says 2"),
        ({"inputs": [tensor("age", [1, 2], [2]), tensor("plan", ["pro"], [1])]}, "1 to 2 rows"),
        ({"inputs": {"age": [1, 2], "plan": ["pro"]}}, "1 to 2 rows"),
        ({"inputs": [tensor("age", [1], ["one"])]}, "no list of whole numbers"),
        ({"inputs": [{"name": "age", "shape": [1], "datatype": "FP32"}]}, "did not come with it"),
        ({"inputs": {"wrong": [1], "also": [2], "too": [3]}}, "none of the columns"),
        ({"instances": [[1], [2]]}, "1 values where the model reads 2"),
        ({"instances": [{"b64": "aGk="}]}, "none of the columns"),
        ({"data": {"strData": "x"}}, "none of `instances`"),
    ],
)  # fmt: skip
def test_requests_whose_rows_do_not_fit_are_told(side, asked, told) -> None:
    model = side.model("names")
    side.send(model, "request", asked, "w")
    answer = side.send(model, "response", TWO, "w")
    if answer.status_code == 200:  # the request alone was refused at once
        answer = side.send(model, "request", asked, "w")
    assert (answer.status_code, told in answer.json()["detail"]) == (400, True), answer.text
    with side.ledger.together():
        side.ledger.halves.let_go(100)


@pytest.mark.parametrize(
    ("said", "what", "reason"),
    [
        ({"error": "ValueError: columns are missing"}, "model error", "answered with an error"),
        ({"detail": [{"msg": "Field required"}]}, "model error", "answered with an error"),
        ({}, "model error", "without `predictions`"),
        ({"predictions": ["stays"]}, "other number of rows", "1 rows where 2 were asked"),
        ({"outputs": [tensor("predict", [1, 0, 1], [2])]}, "broken answer", "its shape says 2"),
    ],
)  # fmt: skip
def test_a_model_that_answers_with_an_error_is_told_and_its_inputs_count(side, caplog, said, what, reason) -> None:
    model = side.model("names")
    told = side.pair(model, REQUESTS["v1 rows"], said)
    assert (told["records"], told["incomplete"]) == (2, 2)
    assert reason in told["reason"]
    side.pair(model, REQUESTS["v1 rows"], said)
    lines = [record.getMessage() for record in caplog.records if model in record.getMessage()]
    assert [reason in line for line in lines] == [True]
    assert side.metric(f'shipmate_drift_records_incomplete_total{{model="{model}",what="{what}"}}') == 4
    total = side.total(model)
    assert (total.rows, total.prediction, total.features["age"].counts) == (4, None, (0, 2, 0, 2))


def test_dates_and_words_for_yes_and_no_are_read_as_training_reads_them(side) -> None:
    model = side.model("dates")
    since = ["2022-01-09T00:00:00Z", "2022-01-07", "2021-12-31T23:00:00+01:00", "no date", None]
    side.pair(model, {"instances": [{"since": each} for each in since]}, {"predictions": [True, False, "1", 0, 1]})
    total = side.total(model)
    assert (total.features["since"].counts, total.features["since"].missing) == ((2, 1), 2)
    assert total.prediction.counts == {"0": 2, "1": 3}


def test_labels_come_first_late_twice_changed_as_places_and_broken(side) -> None:
    model = side.model("names")
    early = side.label(model, {"first#0": "leaves", "first#1": 1, "never": "stays"})
    assert early == {"met": 0, "waiting": 3}
    side.send(model, "request", REQUESTS["v1 rows"], "first")
    assert side.send(model, "response", TWO, "first").json()["records"] == 2
    assert side.total(model).outcomes.confusion == {"stays": {"leaves": 1}, "leaves": {"stays": 1}}
    again = side.label(model, {"first#0": 0, "first#1": "leaves", "never": "stays"})
    assert again == {"met": 0, "waiting": 1, "repeated": 2, "changed": 1}
    assert side.total(model).outcomes.labelled == 2
    assert side.metric(f'shipmate_drift_labels_changed_total{{model="{model}"}}') == 1
    before = side.metric('shipmate_drift_records_refused_total{source="labels"}')
    broken = {"a": None, "b": [1], "c": {"x": 1}, "d": float("nan"), "e": "", "f": "stays"}
    told = side.label(model, broken)
    assert (told["met"], told["waiting"], told["refused"]) == (0, 1, 5)
    assert "label of a is not a word" in told["reason"]
    assert side.metric('shipmate_drift_records_refused_total{source="labels"}') - before == 5


def test_labels_of_numbers_are_numbers_and_their_errors_stay_finite(side) -> None:
    model = side.model("amount")
    said = {"predictions": [[100.0], 90, "80", float("inf"), float("nan"), "much", 1e300, None]}
    told = side.pair(model, {"inputs": {"age": list(range(8))}}, said)
    assert (told["records"], told["incomplete"]) == (8, 4)
    assert "something else than a number" in told["reason"]
    labels: dict[str, Any] = {f"{told['id']}#{place}": 100 for place in range(8)}
    wrong = {
        "x1": "NaN",
        "x2": "inf",
        "x3": "a lot",
        "x4": float("inf"),
        "x5": None,
        "x6": [3],
        "x7": 10**400,
        "x8": "true",
    }
    answer = side.label(model, labels | wrong)
    assert (answer["met"], answer["waiting"], answer["refused"]) == (3, 5, 8)
    assert "is not a number" in answer["reason"]
    outcomes = side.total(model).outcomes
    assert (outcomes.labelled, outcomes.right, outcomes.absolute_error, outcomes.squared_error) == (3, 1, 30.0, 500.0)
