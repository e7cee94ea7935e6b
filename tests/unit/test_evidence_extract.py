"""The extract: exact tokens, whole blocks, three copies at most, the same with both engines."""

import re

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evidence.analysing import analyse
from pipelines.evidence.cues import CUES
from pipelines.evidence.features import looks, matrix, names
from pipelines.evidence.fingerprint import fingerprint, masked, tells_what
from pipelines.evidence.lines import Window, table
from pipelines.evidence.ranker import shipped
from pipelines.evidence.reading import Options
from pipelines.evidence.selecting import marked
from pipelines.evidence.tokens import count_tokens
from pipelines.evidence.values import letter

NOISE = "\n".join(f"Downloading package-{number} ({number * 37 % 900} kB)" for number in range(3_000))
TRACE = """Traceback (most recent call last):
  File "/app/train.py", line 12, in <module>
    main()
  File "/app/train.py", line 8, in main
    model.fit(rows)
ValueError: Input X contains NaN.
"""
LOG = f"{NOISE}\n{TRACE}##[error]Process completed with exit code 1.\nPost job cleanup.\n{NOISE[:4000]}\n"


def test_the_failure_is_in_the_extract_with_its_numbers_and_its_cause() -> None:
    found = analyse([("ci.log", LOG.encode())])
    told = {line.number: line.text for line in found.extract.lines}
    rows = LOG.split("\n")
    assert all(rows[number - 1] == text for number, text in told.items())
    assert {3001, 3002, 3006, 3007} <= set(told)
    assert found.suspicions[0][1].signature == "ml.input-nan"
    assert found.suspicions[0][1].rows == (3006,)
    assert found.extract.failing_step is not None
    assert found.extract.left_out == found.extract.total_lines - len(told)


@pytest.mark.parametrize("budget", [1, 12, 100, 500, 1_000, 2_000, 4_000])
def test_the_tokens_of_what_is_shown_numbers_included_stay_within_the_budget(budget: int) -> None:
    extract = analyse([("ci.log", LOG.encode())], Options(budget_tokens=budget)).extract
    assert extract.tokens == count_tokens(extract.text) <= budget


def test_a_budget_is_shared_by_several_sources_which_are_told_apart_by_letters() -> None:
    extract = analyse([("good.log", b"fine\n" * 50), ("bad.log", LOG.encode())], Options(budget_tokens=600)).extract
    assert count_tokens(extract.text) <= 600
    assert "b3006|ValueError: Input X contains NaN." in extract.text
    assert [letter(number) for number in (0, 25, 26, 701)] == ["a", "z", "aa", "zz"]


def test_at_most_three_copies_of_a_line_are_shown_and_a_dozen_within_one_block() -> None:
    row = "ERROR could not reach the feature store at 10.0.0.{}:6379 after {} ms"
    words = [
        f"{first}{second} went by quietly" for first in "ghjklmnpqrst" for second in ("up", "own", "slow", "yhigh")
    ]
    scattered = [
        line for number in range(48) for line in (row.format(number, number * 7), *words[number:], *words[:number])
    ]
    shown = [
        line.text
        for line in analyse([("log", "\n".join(scattered).encode())], Options(budget_tokens=300)).extract.lines
    ]
    assert 1 <= sum("feature store" in text for text in shown) <= 3
    together = "\n".join(row.format(number % 255, number) for number in range(400))
    assert 3 <= len(analyse([("log", together.encode())]).extract.lines) <= 12


def test_an_error_that_comes_back_is_shown_where_it_is_told_first_as_well() -> None:
    told = b"/src/Json.swift:97:2: error: unknown attribute 'lookup'\n"
    content = b"".join(b"Building target %d\n" % number + told for number in range(12))
    held = table(content, [Window(0, len(content), 1)], 24)
    later_is_likelier = numpy.arange(len(held)) / 100
    assert marked(looks(held), later_is_likelier).tolist()[:4] == [23, 1, 21, 1]


def test_a_long_line_is_cut_in_its_middle_and_says_so() -> None:
    found = analyse([("log", b"error: " + b"a b c " * 4_000 + b"the end\n")]).extract.lines[0].text
    assert found.startswith("error: a b c")
    assert found.endswith("the end")
    assert "characters left out" in found
    assert len(found) < 500


@pytest.mark.parametrize("size", [10_000, 5_000_000])
def test_of_a_very_long_line_it_is_said_how_much_was_not_looked_at(size: int) -> None:
    line = b"error: " + b"x" * size + b"the end"
    extract = analyse([("one.log", b"fine\n" + line + b"\n")]).extract
    found = extract.lines[-1].text
    head, number, tail = re.split(r" … (\d+) characters left out … ", found)
    assert len(head) + int(number) + len(tail) == len(line)
    assert extract.notes == (
        "Of 1 very long line of one.log the ends were looked at, and what speaks of trouble between them.",
    )


def test_notes_say_what_was_not_looked_at() -> None:
    huge = ("\n".join(f"line {number} is fine" for number in range(60_000)) + "\nerror: no\n").encode()
    extract = analyse([("huge.log", huge)], Options(closely=200_000)).extract
    assert extract.seen_lines < extract.total_lines == 60_001
    assert "60,001 lines were scanned" in extract.notes[0]
    assert analyse([("empty.log", b"")]).extract.notes == ("empty.log is empty.",)


ROWS = st.lists(
    st.sampled_from([*(cue.pattern.encode("latin-1") for cue in CUES), *TRACE.encode().split(b"\n"), b"\xe2\x9c\x97"]),
    max_size=30,
)  # fmt: skip


@given(ROWS)
@settings(max_examples=30, deadline=None)
def test_both_engines_see_the_same_in_every_line(rows: list[bytes]) -> None:
    content = b"\n".join(row.replace(b"\n", b" ") for row in rows)
    held = table(content, [Window(0, len(content), 1)], len(rows))
    fast, slow = looks(held), looks(held, plain=True)
    assert (fast.cues == slow.cues).all()


def test_a_log_with_a_blank_line_behind_each_line_is_ranked_as_the_same_log_without() -> None:
    plain, doubled = LOG.encode(), LOG.replace("\n", "\n\n").encode()
    single, double = (table(content, [Window(0, len(content), 1)], 1) for content in (plain, doubled))
    assert single.bare == double.bare
    assert (matrix(single, looks(single)) == matrix(double, looks(double))).all()
    shown = {line.number for line in analyse([("log", doubled)]).extract.lines}
    assert {2 * number - 1 for number in (3001, 3002, 3006, 3007)} <= shown


def test_blank_lines_cost_nothing_and_a_block_goes_over_them() -> None:
    found = analyse([("log", b"error: one\n\n\n  at two\n\n" + b"\n" * 40 + b"error: three\n")]).extract
    assert [[line.number for line in block.lines] for block in found.blocks] == [[1, 4], [46]]
    assert (found.seen_lines, found.total_lines) == (46, 46)


def test_both_engines_give_the_same_extract_and_the_same_causes() -> None:
    fast = analyse([("log", LOG.encode())])
    assert analyse([("log", LOG.encode())], Options(plain=True)) == fast


def test_the_weights_that_ship_fit_the_features() -> None:
    held = table(LOG.encode(), [Window(0, len(LOG), 1)], 1)
    features = matrix(held, looks(held))
    assert features.shape[1] == len(names()) > int(shipped().lines.feature.max())
    score = shipped().lines.score(features)
    assert 0 <= score.min() <= score.max() <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-01T10:00:00Z no in run 812 at /home/ci/b.py:12", "2026-02-02T11:30:09Z no in run 9 at /a/b.py:99"),
        ("pod web-7d4b9c6f5-x2k9p was OOMKilled after 3.5s", "pod web-5f6c7d8e9-aa2zz was OOMKilled after 120 s"),
        ("connect 10.0.0.1:5432 refused", "connect 192.168.3.4:40001 refused"),
        ("commit 4f2a9c1d is not a tree", "commit 99ab12cd34ef is not a tree"),
        ("[gw3] FAILED at 0x7f3a", "[gw11] FAILED at 0xdeadbeef"),
        ("Jan  2 10:00:00 app: cannot open store", "Feb 13 11:00:00 app: cannot open store"),
        ("Thu Nov 26 03:13:21 UTC 2026 no", "Fri Dec  4 13:13:21 UTC 2026 no"),
        ("connect to fd00:1:2::a:5432 refused", "connect to fe80::1 refused"),
    ],
)  # fmt: skip
def test_a_fingerprint_survives_times_hashes_ports_paths_and_workers(one: str, other: str) -> None:
    assert masked(one) == masked(other)
    assert fingerprint("x", [one]) == fingerprint("x", [other])


@pytest.mark.parametrize(
    "line", ["3 failed, 2 passed in 0.31s", "FAILURES!", "Tests: 12, Failures: 2, Skipped: 1.", "===="]
)
def test_a_count_does_not_say_what_failed(line: str) -> None:
    assert not tells_what(line)


def test_a_line_that_names_the_test_does() -> None:
    assert tells_what("FAILED tests/test_gate.py::test_accuracy - assert 0.71 >= 0.8")


def test_different_failures_have_different_fingerprints() -> None:
    assert fingerprint("", ["cannot find libssl"]) != fingerprint("", ["cannot find libcrypto"])
    assert fingerprint("a", ["same"]) != fingerprint("b", ["same"])
    assert fingerprint("a", ["same", "same"]) == fingerprint("a", ["same"])
