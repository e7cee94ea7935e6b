"""Two steps of a log failed: the one that the CI system names is the failing one, wherever the log puts its weight."""

from datetime import UTC, datetime

import pytest

from pipelines.evidence.analysing import Analysis, analyse
from pipelines.evidence.known_steps import KnownStep
from pipelines.evidence.reading import Options
from pipelines.evidence.reporting import kind_of

TESTS = ("##[group]Run pytest -q", "pytest -q", "##[endgroup]", "F.",
         "E       AssertionError: score too low",
         "FAILED tests/test_a.py::test_b - AssertionError: score too low", "1 failed, 1 passed in 1.42s")  # fmt: skip
UPLOAD = ("##[group]Run ./upload-report.sh", "./upload-report.sh", "##[endgroup]",
          "curl: (6) Could not resolve host: reports.example.com",
          "ConnectionRefusedError: [Errno 111] Connection refused")  # fmt: skip
EXIT = "##[error]Process completed with exit code {}."


def printed(*steps: tuple[tuple[str, ...], float, float], clock: bool = True) -> bytes:
    """A log in which each step printed its lines evenly from one second of the minute to another."""
    rows = []
    for lines, start, end in steps:
        for place, line in enumerate(lines):
            at = start + (end - start) * place / max(1, len(lines) - 1)
            rows.append(f"2026-01-05T10:00:{at:010.7f}Z {line}" if clock else line)
    return ("\n".join(rows) + "\n").encode()


def at(second: int) -> datetime:
    return datetime(2026, 1, 5, 10, 0, second, tzinfo=UTC)


def failed(lines: tuple[str, ...], code: int = 1) -> tuple[str, ...]:
    return (*lines, EXIT.format(code))


def told(log: bytes, known: KnownStep | None) -> Analysis:
    return analyse([("job", log)], Options(kind="ci", failed=True), [known])


def leading(found: Analysis) -> str:
    return found.suspicions[0][1].text


TWO = ((failed(TESTS), 1, 4.2), (failed(UPLOAD, 6), 5, 6))


def test_without_a_word_from_outside_the_last_failing_step_of_the_log_counts() -> None:
    found = told(printed(*TWO), None)
    assert found.extract.failing_step is not None
    assert found.extract.failing_step.name == "Run ./upload-report.sh"


def test_a_step_that_runs_only_after_a_failure_and_fails_too_is_not_the_cause() -> None:
    found = told(printed(*TWO), KnownStep("Unit tests", at(1), at(4)))
    step = found.extract.failing_step
    assert step is not None
    assert (step.name, step.header, step.first, step.last) == ("Unit tests", "Run pytest -q", 1, 8)
    assert leading(found).startswith("The test tests/test_a.py::test_b failed")
    assert kind_of(found) == "test"


def test_a_step_that_may_fail_and_did_is_not_the_cause() -> None:
    log = printed((failed(UPLOAD, 6), 1, 2), (failed(TESTS), 3, 5.9))
    found = told(log, KnownStep("Unit tests", at(3), at(5)))
    assert found.extract.failing_step is not None
    assert (found.extract.failing_step.first, found.extract.failing_step.marker) == (7, 14)
    assert leading(found).startswith("The test tests/test_a.py::test_b failed")


@pytest.mark.parametrize(
    ("steps", "known", "rows"),
    [
        # The one behind begins in the second in which this one ends.
        (((failed(TESTS), 1, 4.2), (failed(UPLOAD), 4.3, 4.9)), KnownStep("Unit tests", at(1), at(4)), (1, 8)),
        # Its last line is of the second before the one in which it ended.
        (((failed(TESTS), 1, 3.9), (failed(UPLOAD), 4.3, 4.9)), KnownStep("Unit tests", at(1), at(4)), (1, 8)),
        # The one before ends in the second in which this one begins.
        (((failed(UPLOAD), 0.1, 1.2), (failed(TESTS), 1.3, 4.2)), KnownStep("Unit tests", at(1), at(4)), (7, 14)),
        # All within one second: by the name that GitHub gives a step that has none, or by its place.
        (((failed(UPLOAD), 1.1, 1.3), (failed(TESTS), 1.4, 1.7)), KnownStep("Run pytest -q", at(1), at(1)), (7, 14)),
        (((failed(TESTS), 1.1, 1.3), (failed(UPLOAD), 1.4, 1.7)), KnownStep("Unit tests", at(1), at(1)), (1, 8)),
        (((failed(UPLOAD), 1.1, 1.3), (failed(TESTS), 1.4, 1.7)), KnownStep("Unit tests", at(1), at(1), 1), (7, 14)),
    ],
)  # fmt: skip
def test_neighbours_within_the_same_second_are_told_apart(
    steps: tuple[tuple[tuple[str, ...], float, float], ...], known: KnownStep, rows: tuple[int, int]
) -> None:
    step = told(printed(*steps), known).extract.failing_step
    assert step is not None
    assert (step.first, step.marker) == rows


def test_a_composite_step_fails_within_its_inner_one() -> None:
    inner = ("##[group]Run echo ready", "##[endgroup]", "ready", *failed(TESTS))
    log = printed((("##[group]Run ./actions/check", "##[endgroup]"), 1, 1.1), (inner, 1.2, 3.5), (failed(UPLOAD), 5, 6))
    step = told(log, KnownStep("Check", at(1), at(3))).extract.failing_step
    assert step is not None
    assert step.marker == 13


def test_an_action_that_ends_with_an_error_of_its_own_is_marked_by_that() -> None:
    lines = ("##[group]Run actions/deploy@v4", "##[endgroup]", "Deploying", "##[error]Error: The site is not there",
             "Cleaning up")  # fmt: skip
    step = told(printed((lines, 1, 3), (failed(UPLOAD), 5, 6)), KnownStep("Deploy", at(1), at(3))).extract.failing_step
    assert step is not None
    assert step.marker == 4


@pytest.mark.parametrize("times", [(at(1), at(4)), (None, None), (at(40), at(50))])
def test_without_times_that_fit_the_name_tells(times: tuple[datetime | None, datetime | None]) -> None:
    log = printed(*TWO, clock=times == (at(40), at(50)))
    step = told(log, KnownStep("Run pytest -q", *times)).extract.failing_step
    assert step is not None
    assert (step.name, step.first, step.marker) == ("Run pytest -q", 1, 8)


@pytest.mark.parametrize("log", [b"", b"\n", printed(*TWO, clock=False), b"\xff\x00" * 99])
def test_a_step_of_which_the_log_says_nothing_changes_nothing(log: bytes) -> None:
    assert told(log, KnownStep("Elsewhere", at(40), at(50))) == told(log, None)


def test_of_several_logs_each_has_its_own_step() -> None:
    known = [KnownStep("Unit tests", at(1), at(4)), None]
    found = analyse([("a", printed(*TWO)), ("b", printed(*TWO))], Options(kind="ci"), known)
    cited = {source: one.text for source, one in reversed(found.suspicions)}
    assert cited[0].startswith("The test tests/test_a.py::test_b failed")
    assert found == analyse([("a", printed(*TWO)), ("b", printed(*TWO))], Options(kind="ci"), known[:1])
