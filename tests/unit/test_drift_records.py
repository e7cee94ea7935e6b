import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from pipelines.drift.events import read_events
from pipelines.drift.joining import Pair, Remembered, paired
from pipelines.drift.records import (
    Fields,
    InferenceRecord,
    outcome_of,
    profile_records,
    read_lines,
)
from pipelines.drift.signatures import Signature
from pipelines.drift.windows import merge
from pipelines.errors import Refused
from pipelines.profiles import Categories, Numbers, ReferenceProfile, tally_few, tally_numbers

AT = datetime(2026, 11, 23, 9, 59, 30, tzinfo=UTC)
REFERENCE = ReferenceProfile(
    "churn", "churn-1", 100,
    {"age": Numbers((30.0, 50.0), (30, 40, 30)), "plan": Categories({"basic": 60, "pro": 40})},
    Categories({"0": 70, "1": 30}), Categories({"0": 70, "1": 30}), Numbers((0.7, 0.9), (20, 40, 40)),
)  # fmt: skip


def headers(event_id: str, kind: str, at: datetime = AT) -> dict[str, str]:
    return {
        "Content-Type": "application/json", "Ce-Id": event_id, "Ce-Type": f"org.kubeflow.serving.inference.{kind}",
        "Ce-Time": at.isoformat(), "Ce-Source": "http://localhost:9081/", "Ce-Inferenceservicename": "churn",
        "Ce-Specversion": "1.0", "Ce-Namespace": "models",
    }  # fmt: skip


def event(event_id: str, kind: str, body: Any, at: datetime = AT):
    [half] = read_events(json.dumps(body).encode(), headers(event_id, kind, at)).halves
    return half


V1 = ({"instances": [{"age": 41, "plan": "pro"}, {"age": 22, "plan": "basic"}]}, {"predictions": [1, 0]})
V2 = (
    {"inputs": [
        {"name": "age", "shape": [2], "datatype": "FP64", "data": [41, 22]},
        {"name": "plan", "shape": [2, 1], "datatype": "BYTES", "data": [["pro"], ["basic"]]},
    ]},
    {"model_version": "7", "outputs": [
        {"name": "predict", "shape": [2], "datatype": "INT64", "data": [1, 0]},
        {"name": "predict_proba", "shape": [2, 2], "datatype": "FP64", "data": [0.2, 0.8, 0.9, 0.1]},
    ]},
)  # fmt: skip


@pytest.mark.parametrize(
    ("request_body", "response_body", "version", "sure"), [(*V1, "", [None, None]), (*V2, "7", [0.8, 0.9])]
)
@pytest.mark.parametrize("turned", [False, True])
def test_request_and_response_meet_in_either_order(request_body, response_body, version, sure, turned: bool) -> None:
    halves = [event("e1", "request", request_body), event("e1", "response", response_body)]
    [pair], alone = paired(reversed(halves) if turned else halves)
    records = pair.records().records
    assert [record.id for record in records] == ["e1#0", "e1#1"]
    assert [dict(record.features) for record in records] == [{"age": 41, "plan": "pro"}, {"age": 22, "plan": "basic"}]
    assert [record.prediction for record in records] == [1, 0]
    assert [record.confidence for record in records] == sure
    assert {(record.model, record.version, record.at) for record in records} == {("churn", version, AT)}
    assert alone == []


def test_the_same_event_twice_counts_once() -> None:
    halves = [event("e1", "request", V1[0]), event("e1", "response", V1[1])]
    [pair], alone = paired([*halves[:1] * 3, *halves, *halves])
    assert (len(pair.records().records), alone) == (2, [])
    assert paired(halves[:1] * 3) == ([], halves[:1])


def pair(event_id: str, asked: Any, said: Any) -> Pair:
    return Pair(event(event_id, "request", asked), event(event_id, "response", said))


def test_rows_that_are_only_counted_get_the_names_of_the_columns() -> None:
    signature = Signature(("age", "plan"))
    [record] = pair("e1", {"instances": [[41, "pro"]]}, {"predictions": [[0.3, 0.7]]}).records(signature).records
    assert (dict(record.features), record.prediction, record.confidence) == ({"age": 41, "plan": "pro"}, 1, 0.7)
    matrix = {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1, 2, 3, 4]}]}
    records = pair("e2", matrix, {"outputs": [{"name": "y", "shape": [2], "data": [5, 6]}]}).records(signature).records
    assert [dict(record.features) for record in records] == [{"age": 1, "plan": 2}, {"age": 3, "plan": 4}]


def test_a_request_whose_response_was_lost_tells_of_the_inputs_and_a_lone_response_of_nothing() -> None:
    records = Pair(event("e1", "request", V1[0])).records().records
    assert [(record.id, record.prediction) for record in records] == [("e1#0", None), ("e1#1", None)]
    assert Pair(event("e1", "response", V1[1])).records().records == ()


def test_structured_events_and_batches_of_them_are_read() -> None:
    single = {"specversion": "1.0", "id": "e1", "type": "org.kubeflow.serving.inference.request", "source": "s",
              "inferenceservicename": "churn", "time": AT.isoformat(), "data": V1[0]}  # fmt: skip
    answer = {**single, "type": "org.kubeflow.serving.inference.response", "data": V1[1]}
    sent = json.dumps([single, answer]).encode()
    halves = read_events(sent, {"Content-Type": "application/cloudevents-batch+json"}).halves
    assert [(half.id, half.is_request) for half in halves] == [("e1", True), ("e1", False)]
    other = {**single, "type": "org.kubeflow.serving.inference.feedback"}
    events = read_events(json.dumps(other).encode(), {})
    assert (events.halves, events.faults, len(events.others)) == ([], [], 1)


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"", {}),
        (b"\xff\xfe", {}),
        (b"[1, 2]", {}),
        (b'{"a": 1}', {}),
        (b'"text"', headers("e", "request")),
        (b"[" * 100_000, {}),
        (b'{"a":' * 100_000, headers("e", "request")),
        (b'{"a": ' + b"9" * 5_000 + b"}", {}),
        (b'{"inputs":' + b"[" * 300 + b"]" * 300 + b"}", headers("e", "request")),
    ],
)
def test_what_is_no_event_is_told(content: bytes, sent: dict[str, str]) -> None:
    events = read_events(content, sent)
    assert (events.halves, set(map(bool, events.faults))) == ([], {True})


def test_a_body_of_no_protocol_is_refused() -> None:
    with pytest.raises(Refused, match="none of"):
        pair("e1", {"rows": []}, {"predictions": [1]}).records()


def test_values_that_are_none_of_a_number_count_as_missing_and_break_nothing() -> None:
    nested: Any = 1
    for _ in range(50):
        nested = [nested]
    odd = [math.nan, math.inf, -1e308, 10**400, "41", "x", "", None, True, [1], [[1, 2], 3], {"a": 1}, nested]
    for rows in (odd, odd * 20):  # few are counted by hand, many by numpy
        records = [record(place, age=value) for place, value in enumerate(rows)]
        [window] = profile_records(records, REFERENCE, AT)
        age = window.total.features["age"]
        assert isinstance(age, Numbers)
        assert (window.total.rows, age.count + age.missing) == (len(rows), len(rows))
        assert age.count == 3 * len(rows) // len(odd)
    deep = {"inputs": [{"name": "age", "data": nested}]}
    with pytest.raises(Refused, match="dimensions"):
        pair("e1", deep, {"predictions": [1]}).records()


def test_few_values_are_counted_as_many_are() -> None:
    values = [30.0, 29.999, 50.0, 50.001, math.nan, -4.0, math.inf, 1e12]
    by_hand, by_numpy = tally_few(values, (30.0, 50.0)), tally_numbers(np.array(values), (30.0, 50.0))
    assert (by_hand.counts, by_hand.missing) == (by_numpy.counts, by_numpy.missing) == ((3, 1, 2), 2)
    assert (by_hand.minimum, by_hand.maximum) == (by_numpy.minimum, by_numpy.maximum)
    assert (by_hand.mean, by_hand.squares) == pytest.approx((by_numpy.mean, by_numpy.squares))
    assert tally_few([], (30.0,)) == tally_numbers(np.array([]), (30.0,))


def test_what_no_database_takes_is_left_out_of_ids_and_names() -> None:
    half = event("e\ud800\0 1", "response", {"model_version": "7\0\udfff"})
    assert (half.id, half.version) == ("e? 1", "7?")


def record(number: int, at: datetime = AT, **changed: Any) -> InferenceRecord:
    return InferenceRecord(f"r{number}", "churn", "7", at, {"age": 20 + number, "plan": "pro"} | changed, "1", 0.8)


def test_records_become_one_profile_an_hour_in_the_bins_of_the_reference() -> None:
    records = [record(1), record(2, AT + timedelta(minutes=1)), record(3, age=None, plan="gold"), record(4, age="77")]
    windows = profile_records(records, REFERENCE, AT + timedelta(minutes=2))
    assert [(window.hour.hour, window.total.rows) for window in windows] == [(9, 3), (10, 1)]
    total = windows[0].total
    age, plan = total.features["age"], total.features["plan"]
    assert isinstance(age, Numbers)
    assert (age.counts, age.missing) == ((1, 0, 1), 1)
    assert isinstance(plan, Categories)
    assert (plan.counts, plan.other) == ({"basic": 0, "pro": 2}, 1)
    assert total.prediction is not None
    assert total.prediction.count == 3


def test_the_same_records_again_in_any_order_change_nothing() -> None:
    records = [record(number) for number in range(6)]
    [first] = profile_records(records, REFERENCE, AT)
    [again] = profile_records([*reversed(records), records[0]], REFERENCE, AT)
    assert merge(first, again).total.rows == 6


def test_a_clock_that_runs_ahead_counts_when_it_was_received() -> None:
    [window] = profile_records([record(1, AT + timedelta(days=400))], REFERENCE, AT)
    assert window.hour == AT.replace(minute=0, second=0)
    [late] = profile_records([record(1, AT - timedelta(days=3))], REFERENCE, AT)
    assert late.hour == AT.replace(minute=0, second=0) - timedelta(days=3)


def test_lines_are_records_and_a_cut_off_last_one_is_passed_over() -> None:
    lines = [
        '{"id": 1, "timestamp": "2026-11-23T09:00:00Z", "age": 40, "prediction": 1, "confidence": 0.9}',
        "",
        '{"age": 4',
    ]
    [found] = read_lines(lines, "churn", Fields())
    assert (found.id, found.prediction, dict(found.features)) == ("1", 1, {"age": 40})
    with pytest.raises(Refused, match="Line 1 "):
        list(read_lines(["{broken", '{"age": 1}'], "churn", Fields()))
    with pytest.raises(Refused, match="Line 1 "):
        list(read_lines(["[1]"], "churn", Fields()))


def test_a_line_without_an_id_is_known_by_what_it_holds() -> None:
    one, other, again = read_lines(['{"age": 1}', '{"age": 2}', '{"age": 1}'], "churn", Fields())
    assert one.id == again.id != other.id


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    remembered = Remembered(most=10)
    for number in range(12):
        remembered.add(("churn", str(number)))
    assert ("churn", "11") in remembered
    assert ("churn", "0") not in remembered


def test_a_label_is_right_about_a_number_however_it_is_written() -> None:
    assert outcome_of("1", "1.0").right == 1
    assert outcome_of("yes", "no").right == 0
    assert outcome_of("3.5", "5").absolute_error == 1.5
