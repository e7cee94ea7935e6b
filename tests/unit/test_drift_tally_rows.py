"""Rows of tallies are the JSON that everything else writes, only faster."""

import json
import math
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.drift.tally_rows import read_tally, write_tally
from pipelines.drift.windows import Outcomes, Tally
from pipelines.json_values import from_json, to_json
from pipelines.profiles import Categories, Numbers

counts = st.integers(0, 2**40)
reals = st.floats(allow_nan=False)
numbers = st.builds(
    Numbers, st.lists(reals, max_size=4).map(tuple), st.lists(counts, max_size=5).map(tuple), counts, reals, reals,
    reals, reals,
)  # fmt: skip
categories = st.builds(
    Categories, st.dictionaries(st.text(max_size=5), counts, max_size=4), counts, counts, st.booleans()
)
outcomes = st.builds(
    Outcomes, counts, counts, reals,
    st.dictionaries(st.text(max_size=3), st.dictionaries(st.text(max_size=3), counts, max_size=2), max_size=2), reals,
)  # fmt: skip
tallies = st.builds(
    Tally, counts, st.dictionaries(st.text(max_size=8), numbers | categories, max_size=4),
    st.none() | numbers | categories, st.none() | numbers, outcomes,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(tallies)
def test_whoever_writes_a_tally_and_whoever_reads_it_agree(tally: Tally) -> None:
    assert json.loads(write_tally(tally)) == json.loads(json.dumps(to_json(tally), allow_nan=False))
    assert read_tally(write_tally(tally)) == tally
    assert read_tally(json.dumps(to_json(tally))) == tally
    assert from_json(Tally, json.loads(write_tally(tally))) == tally


def test_every_field_is_written() -> None:
    written = json.loads(write_tally(Tally(1, {"a": Numbers((), (1,))})))
    assert set(written) == {field.name for field in fields(Tally)}
    assert set(written["outcomes"]) == {field.name for field in fields(Outcomes)}
    assert set(written["features"]["a"]) == {field.name for field in fields(Numbers)}
    assert written["features"]["a"]["minimum"] == "Infinity"
    nothing = read_tally(json.dumps({"rows": 1, "features": {"a": {"edges": [], "counts": [1]}}}))
    assert nothing.features["a"] == Numbers((), (1,), minimum=math.inf)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"rows": 1}', '{"rows": 1, "features": {"a": 3}}', "{broken"])
def test_what_is_no_tally_is_told(text: str) -> None:
    with pytest.raises(ValueError):
        read_tally(text)
