"""The catalogue of known failures: every signature on a real line, specific ones before general ones."""

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evidence.analysing import analyse
from pipelines.evidence.literals import required
from pipelines.evidence.reading import Options
from pipelines.evidence.reporting import report
from pipelines.evidence.scanning import HyperscanScanner, Pattern, PlainScanner
from pipelines.evidence.signatures import Signature, catalogue, matches, read_family, worded
from pipelines.evidence.values import FailureKind, LogKind

EXAMPLES = [(signature, example.encode()) for signature in catalogue() for example in signature.examples]
ML = {
    "ml.cuda-oom", "ml.nccl-timeout", "ml.nan-loss", "ml.shape-matmul", "ml.dtype", "ml.schema-skew",
    "ml.unseen-category", "ml.registry-version", "ml.pickle", "ml.sklearn-version", "ml.gate",
    "ml.mlflow-unreachable", "cloud.quota",
}  # fmt: skip


def test_there_are_at_least_250_in_13_families_and_the_ones_for_models_are_among_them() -> None:
    assert len(catalogue()) >= 250
    assert len({signature.family for signature in catalogue()}) >= 13
    ids = [signature.id for signature in catalogue()]
    assert len(ids) == len(set(ids))
    assert set(ids) >= ML


@pytest.mark.parametrize("signature", catalogue(), ids=lambda signature: signature.id)
def test_a_signature_matches_its_real_lines_and_says_what_to_do(signature: Signature) -> None:
    assert signature.examples
    for example in signature.examples:
        groups = signature.match(example.encode())
        assert groups is not None, example
        cause = worded(signature.cause, groups)
        assert cause[0].isupper() or cause[0].isalnum() or cause[0] in "/.~`:_"
        assert "[[" not in cause
        # As a report fills it in: a group that is empty leaves no bracket, colon or gap behind.
        short = {name: text.strip().rstrip(" .:,;") for name, text in groups.items()}
        assert not re.search(r"(?<!\w)\(\s*\)|\([a-z]+ \)|:\s+\.|: in ", worded(signature.cause, short)), example
        assert cause.endswith(".")
    assert signature.fix
    assert signature.owner
    assert signature.kind in get_args(FailureKind)


def test_where_a_signature_names_the_source_of_its_line_that_is_a_public_thread() -> None:
    sourced = [signature for signature in catalogue() if signature.source]
    assert len(sourced) >= 18
    for signature in sourced:
        assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/\d+", signature.source), signature.id
        assert signature.examples


def test_on_its_own_line_no_other_signature_beats_it() -> None:
    beaten = []
    for own, example in EXAMPLES:
        best = max((one for one in catalogue() if one.compiled.search(example)), key=lambda one: one.priority)
        if best.priority > own.priority:
            beaten.append(f"{own.id} by {best.id}: {example!r}")
    assert beaten == []


def test_no_specific_signature_matches_lines_of_many_others() -> None:
    broad = {}
    for signature in catalogue():
        if signature.priority >= 50:
            others = {
                own.id for own, example in EXAMPLES if own is not signature and signature.compiled.search(example)
            }
            if len(others) > 6:
                broad[signature.id] = sorted(others)
    assert broad == {}


def test_every_pattern_compiles_in_both_engines_and_they_agree() -> None:
    patterns = [Pattern(signature.pattern) for signature in catalogue()]
    content = b"\n".join(example for _, example in EXAMPLES)
    for start in range(0, len(patterns), 60):
        some = patterns[start : start + 60]
        assert HyperscanScanner(some).present(content) == PlainScanner(some).present(content)


def test_a_line_that_matches_holds_one_of_the_literals_that_are_looked_for() -> None:
    for own, example in EXAMPLES:
        literals = required(own.pattern)
        assert literals is None or any(literal.encode("latin-1") in example for literal in literals), own.id
    assert sum(required(signature.pattern) is None for signature in catalogue()) < 12


def test_matches_are_found_by_their_literals_like_by_trying_everything() -> None:
    rows = [example for _, example in EXAMPLES][:200]
    found = {match.signature.id: set(match.rows) for match in matches(rows, [0.0] * 200, range(200))}
    for signature in catalogue():
        assert found.get(signature.id, set()) == {
            row for row, line in enumerate(rows) if signature.compiled.search(line)
        }


@pytest.mark.parametrize(
    "line",
    [
        b"12 passed in 3.41s", b"0 errors, 0 warnings", b"All checks passed!", b"Found 0 vulnerabilities",
        b"exited with 0",
        b"Successfully installed numpy-2.1.0", b"test tests::works ... ok", b"ok  \tgithub.com/acme/app\t0.01s",
        b"BUILD SUCCESSFUL in 3s",
        b"INFO server started on port 8080", b"Tests run: 12, Failures: 0, Errors: 0, Skipped: 0",
        b"exit code 0", b"HTTP/1.1 200 OK",
    ],
)  # fmt: skip
def test_good_news_matches_nothing(line: bytes) -> None:
    assert [
        signature.id for signature in catalogue() if signature.priority >= 20 and signature.compiled.search(line)
    ] == []


def test_details_around_a_match_are_in_the_cause() -> None:
    described = b"""Name:         churn-1
Namespace:    ml
Labels:       app=churn
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Limits:
      memory:  512Mi
    Requests:
      memory:  256Mi
"""
    found = analyse([("describe", described)]).suspicions
    assert found[0][1].signature == "kubernetes.oom-killed"
    assert "512Mi" in found[0][1].text


VERDICT = b"##[error]Process completed with exit code 1."
LINES = st.sampled_from([*(example for _, example in EXAMPLES), b"fine", b"E   assert 1 == 2", b"ERROR no", b""])


@given(st.lists(LINES, min_size=2, max_size=25), st.sampled_from([None, "ci", "container", "command"]))
@settings(max_examples=60, deadline=None)
def test_no_cause_is_surer_than_the_one_before_it(rows: list[bytes], kind: LogKind | None) -> None:
    log = b"\n".join([*rows, VERDICT])
    sure = [cause.confidence for cause in report(analyse([("log", log)], Options(kind=kind, failed=True))).causes]
    assert sure == sorted(sure, reverse=True)


MIXED = (b"gzip: stdin: not in gzip format\n"
         b"jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 1073741824 bytes.\n"
         b"E   AssertionError: score is too low: 0.61 < 0.80\n")  # fmt: skip


@pytest.mark.parametrize(
    ("log", "first", "last"),
    [
        # Two known failures and what the log says between them.
        (MIXED, "JAX ran out of device memory.", "The log says: "),
        # That a command failed is the surest of all, and explains nothing.
        (b"test result: FAILED. 11 passed; 1 failed; 0 ignored\n", "The log says: test result", "The command ended"),
    ],
)
def test_the_order_of_a_report_is_that_of_its_confidence(log: bytes, first: str, last: str) -> None:
    found = report(analyse([("log", b"##[group]Run make\n##[endgroup]\n" + log + VERDICT)], Options(kind="ci")))
    sure = [cause.confidence for cause in found.causes]
    assert sure == sorted(sure, reverse=True)
    assert found.causes[0].text.startswith(first)
    assert found.causes[-1].text.startswith(last)
    assert found.summary == found.causes[0].text


def test_a_mistake_in_a_family_is_told_with_its_file_and_its_signature(tmp_path: Path) -> None:
    family = tmp_path / "new.yaml"
    family.write_text(
        "family: new\nowner: a\nkind: nonsense\nsignatures: [{id: new.x, pattern: x, cause: X., fix: [y]}]\n"
    )
    with pytest.raises(ValueError, match=re.escape("new.yaml: new.x has the unknown kind nonsense")):
        read_family(family)
