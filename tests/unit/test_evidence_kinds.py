"""The kind of a failure: rules in one order, and labelled lines that no signature was written from."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from pipelines.evidence.analysing import analyse
from pipelines.evidence.classifying import Clues, classify, commands, kind_of_words
from pipelines.evidence.diagnosing import Suspicion
from pipelines.evidence.judging import harmless
from pipelines.evidence.reporting import kind_of, report
from pipelines.evidence.signatures import catalogue
from pipelines.evidence.values import FailureKind, Finding

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
BANDIT = Finding("bandit", "B602", "high", "subprocess call with shell=True", 3)


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kinds_benchmark", BENCHMARKS / "kinds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known(*names: str) -> tuple[Suspicion, ...]:
    by_id = {signature.id: signature for signature in catalogue()}
    return tuple(Suspicion(name, (1,), 0.9, by_id[name].kind, signature=name) for name in names)


PRECEDENCE: list[tuple[str, Clues, FailureKind]] = [
    ("stopped for its time, whatever it did", Clues(known("ci.job-timeout", "python.pytest-failed")), "timeout"),
    ("a scanner's signature", Clues(known("scanners.pip-audit"), places=("Test",)), "sca"),
    ("findings in a step of a scanner", Clues(findings=(BANDIT,), places=("Run bandit -r src",)), "sast"),
    ("findings beside a network that is away", Clues(known("network.dns"), (BANDIT,), ("Bandit",)), "infrastructure"),
    ("findings printed in a step of tests", Clues(known("python.pytest-failed"), (BANDIT,), ("Test",)), "test"),
    ("a test that fails for a value of the model's", Clues(known("ml.input-nan", "python.pytest-failed")), "test"),
    ("tests that lack a package", Clues(known("python.module-not-found", "python.pytest-failed")), "dependency"),
    ("a test whose own call took too long", Clues(known("network.slow-call"), places=("Run pytest -q",)), "test"),
    ("a model below its gate in training", Clues(known("ml.gate"), places=("Train",)), "model validation"),
    ("an exception in training", Clues(known("python.key-error"), places=("python -m churn.train",)), "training"),
    ("an exception in the step that deploys", Clues(known("python.key-error"), places=("Deploy",)), "deployment"),
    ("a compiler in a step of tests", Clues(known("native.gcc-error"), places=("make check tests",)), "build"),
    ("the step before the job", Clues(places=("Lint", "test", "ci")), "lint"),
    ("the job where the step says nothing", Clues(places=("Run x.sh", "security: bandit", "ci")), "sast"),
    ("only an exit code, but lines", Clues(known("ci.exit-code"), lines=("running eslint", "exit 1")), "lint"),
    ("a table that a test misses", Clues(known("network.database-missing", "python.pytest-failed")), "test"),
    ("a step whose name says type check", Clues(known("ci.exit-code"), places=("Type check",)), "lint"),
    ("a word in a path", Clues(lines=("Error: helm install failed: x/tests/a.yaml:5",)), "deployment"),
    ("places without a word of errors", Clues(printed=("a/b.rb:1: Use the new hash", "a/c.rb:7: Odd")), "lint"),
    ("places with errors", Clues(printed=("a/b.zig:1:4: error: expected ';'", "a/c.zig:7:1: note: here")), "build"),
    ("frames of a traceback", Clues(printed=("a/b.py:1: in load", "a/c.py:7: ValueError")), "unknown"),
    ("nothing at all", Clues(), "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("clues", "kind"), [row[1:] for row in PRECEDENCE], ids=[row[0] for row in PRECEDENCE])
def test_rules_are_asked_in_one_order(clues: Clues, kind: FailureKind) -> None:
    assert classify(clues) == kind
    assert classify(clues) == kind  # the same clues, the same kind


LAST_COMMAND = b"""$ npm ci
added 300 packages
+ echo done
> shop@1.0.0 lint
> nothing-known --all
42 things to correct
##[error]Process completed with exit code 1.
"""


def test_the_command_that_was_echoed_last_before_the_failure_says_what_failed() -> None:
    assert kind_of(analyse([("log", LAST_COMMAND)])) == "lint"
    assert (
        kind_of(analyse([("log", LAST_COMMAND.replace(b"> shop@1.0.0 lint", b"> shop@1.0.0 deploy"))])) == "deployment"
    )
    assert commands(["$ make", "text", "+ echo x", "Run pytest -q"]) == ["pytest -q", "make"]


def test_a_count_of_some_is_no_harmless_line_for_a_count_of_none_beside_it() -> None:
    assert not harmless(b"Tests run: 162, Failures: 0, Errors: 162, Skipped: 0")
    assert not harmless(b"Test Files  8 failed | 3 passed (11)")
    assert harmless(b"Tests run: 162, Failures: 0, Errors: 0, Skipped: 0")
    assert harmless(b"attempt 1 failed: connection reset, retrying")


def test_words_of_a_scanner_come_before_those_of_the_test_that_runs_it() -> None:
    assert kind_of_words(["Test the image with trivy"]) == "container scan"
    assert kind_of_words(["", "x", "npm audit --audit-level=high"]) == "sca"


def test_a_bare_exception_in_a_log_without_a_step_claims_no_kind() -> None:
    found = analyse([("log", b"INFO serving\nKeyError: 'tenure'\n")])
    assert kind_of(found) == "unknown"


def test_there_are_enough_labelled_lines_of_every_kind_and_each_says_where_it_is_from() -> None:
    lines = benchmark().lines()
    assert len(lines) >= 150
    assert all(entry["from"] and entry["licence"] for _, entry in lines)
    kinds = [kind for kind, _ in lines]
    assert {kind for kind in kinds if kinds.count(kind) >= 3} == set(FailureKind.__args__) - {"unknown"}  # type: ignore[attr-defined]


def test_most_of_what_tools_print_is_known_by_its_kind() -> None:
    told = list(benchmark().told_of_runs())
    assert len(told) >= 70
    wrong = [(name, kind) for name, right, kind in told if kind not in right]
    assert len(wrong) / len(told) <= 0.05, wrong


def test_no_labelled_line_is_one_that_a_signature_was_written_from() -> None:
    """Word for word. A tool prints the same sentence with other names and numbers; those are what is to be known."""
    always_the_same = {
        "Traceback (most recent call last):", "Failure:", "error Command failed with exit code 1.",
        "- files were modified by this hook",
            "* What went wrong:", "##[error]The operation was canceled.", "Error: Unsupported argument",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
    }  # fmt: skip
    examples = {" ".join(example.split()) for signature in catalogue() for example in signature.examples}
    same = [
        (entry["from"], line)
        for _, entry in benchmark().lines()
        for line in (" ".join(row.split()) for row in entry["text"].splitlines())
        if line in examples - always_the_same and re.search(r"\w", line)
    ]
    assert same == []


def test_nine_of_ten_labelled_lines_are_told_right() -> None:
    told = list(benchmark().told_of_lines())
    assert sum(kind in right for _, right, kind in told) / len(told) >= 0.9


def test_runs_that_went_well_have_no_cause() -> None:
    logs = list(benchmark().green())
    assert len(logs) >= 100
    wrong = [name for name, log in logs if report(analyse([("log", log.encode())])).wrong]
    assert len(wrong) / len(logs) <= 0.02, wrong
