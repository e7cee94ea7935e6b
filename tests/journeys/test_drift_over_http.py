"""Inference records come in over HTTP, and /drift judges them by what the champion was trained on."""

import csv
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

TOKEN = "a-token-of-the-journeys"
MODEL = "tumour"


@pytest.fixture
def served(ship):
    """A champion of tumour, and a client that may send."""
    ship.restart(http_bearer_tokens=(SecretStr(TOKEN),))
    space = ship.workspace
    ana, ben = space.person("ana"), space.person("ben")
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", as_=ben, seconds=30)
    space.press(card, "Approve", as_=ana)
    space.wait_for_message("#ml", containing="version 1 is the new champion", as_=ben, seconds=90)
    base = f"http://127.0.0.1:{ship.bot.server.port}"
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
    ) as client:
        yield client


def rows(ship, change=None):
    with (ship.folder / "data" / f"{MODEL}.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    names = [name for name in table[0] if name != "diagnosis"]
    inputs = [
        [change(name, value) if change else value for name in names for value in [float(row[name] or "nan")]]
        for row in table
    ]
    return names, inputs, [row["diagnosis"] for row in table]


def events(names, table, said, batch, at):
    """KServe's logger: a request in the v2 protocol, and its response."""
    columns = [
        {"name": name, "datatype": "FP64", "shape": [len(table)], "data": [row[place] for row in table]}
        for place, name in enumerate(names)
    ]
    outputs = [{"name": "predict", "datatype": "BYTES", "shape": [len(said)], "data": said}]
    common = {
        "specversion": "1.0", "id": batch, "source": "http://localhost:9081/", "time": at.isoformat(),
        "inferenceservicename": MODEL, "namespace": "models", "endpoint": "",
    }  # fmt: skip
    request = {**common, "type": "org.kubeflow.serving.inference.request", "data": {"inputs": columns}}
    response = {**common, "type": "org.kubeflow.serving.inference.response", "data": {"outputs": outputs}}
    return request, response


def send(client, names, table, said, batch, hours_ago=1):
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    request, response = events(names, table, said, batch, at)
    first = client.post("/inference", json=response)
    assert first.json() == {"records": 0, "waiting": 1}
    second = client.post("/inference", json=request)
    assert second.json() == {"records": len(table), "waiting": 0}
    return client.post("/inference", json=request).json()


def drift_told(ship, containing):
    space = ship.workspace
    vera = space.person("vera")
    space.type(f"/drift {MODEL}", as_=vera, channel="#ml")
    return space.wait_for_ephemeral(containing=containing, as_=vera, channel="#ml", seconds=30).plain


def test_what_looks_like_the_training_data_is_no_drift_and_moved_inputs_are(ship, served):
    assert "have come in yet" in drift_told(ship, "No inference records")
    names, usual, said = rows(ship)
    again = send(served, names, usual, said, "b1")
    assert again == {"records": 0, "waiting": 0}
    assert "no drift" in drift_told(ship, "o drift").lower()
    moved = names[0]
    _, shifted, said = rows(ship, lambda name, value: value * 1.5 if name == moved else value)
    send(served, names, shifted, said, "b2")
    told = drift_told(ship, moved)
    assert moved in told
    assert "no drift" not in told.lower()


def test_late_labels_meet_their_predictions_once(ship, served):
    names, usual, said = rows(ship)
    send(served, names, usual[:60], said[:60], "b1")
    labels = {f"b1#{number}": "malignant" for number in range(40)}
    asked = {"model": MODEL, "labels": labels | {"never-asked": "benign"}}
    assert served.post("/labels", json=asked).json() == {"met": 40, "waiting": 1}
    assert served.post("/labels", json=asked).json()["met"] == 0


def test_rubbish_and_callers_without_a_token_are_told_and_change_nothing(ship, served):
    assert served.post("/inference", content=b"no json").status_code == 400
    assert served.post("/inference", json={"hello": "world"}).status_code == 400
    unknown, _ = events(["a"], [[1.0]], ["benign"], "b9", datetime.now(UTC))
    refused = served.post("/inference", json=unknown | {"inferenceservicename": "nobody"})
    assert refused.status_code == 400
    assert "nobody" in json.dumps(refused.json())
    assert served.post("/labels", json={"model": "nobody", "labels": {}}).status_code == 400
    assert served.post("/labels", json={"model": MODEL, "labels": [1]}).status_code == 400
    base = str(served.base_url).rstrip("/")
    for path in ("inference", "labels"):
        assert httpx.post(f"{base}/{path}", json={}, trust_env=False).status_code in (401, 403)
    assert "have come in yet" in drift_told(ship, "No inference records")
