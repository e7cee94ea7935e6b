"""What logs of forms that nobody here had seen have taught: whose words count, and when something is wrong at all."""

import json
from pathlib import Path

import pytest

from pipelines.evidence.analysing import analyse
from pipelines.evidence.classifying import kind_of_lines
from pipelines.evidence.cleaning import bare
from pipelines.evidence.diagnosing import Suspicion
from pipelines.evidence.plumbing import ends_exception, says_nothing
from pipelines.evidence.reading import Options
from pipelines.evidence.signatures import read_family


def causes(log: str, **asked: int) -> list[Suspicion]:
    return [one for _, one in analyse([("log", log.encode())], Options(**asked)).suspicions]


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):", "    ^^^^^^^^^^^", '  File "/srv/a.py", line 3, in <module>',
        "    at App.main(App.java:6)", "* What went wrong:", "+-------+---------+", "    raise ValueError(",
        "| Model | Version | Status |", "  [bt] (0) /opt/lib/libxgboost.so(+0x2c1a8c)", "Driver stacktrace:",
    ],
)  # fmt: skip
def test_a_line_that_only_leads_to_a_message_says_nothing(line: str) -> None:
    assert says_nothing([line.encode()], 0)


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: x must be positive", "error: at least one model must be named", "at least 3 of 4 gates failed",
        "raised by the gate: recall 0.51", "| churn | 1 | UNAVAILABLE: Internal: no backend |",
    ],
)  # fmt: skip
def test_a_message_says_something(line: str) -> None:
    assert not says_nothing([line.encode()], 0)


def test_the_code_that_a_frame_shows_says_nothing_and_the_same_words_elsewhere_do() -> None:
    rows = [b'  File "a.py", line 3, in f', b"    return failed(error)", b"    return failed(error)"]
    assert [says_nothing(rows, row) for row in range(3)] == [True, True, False]


def test_the_last_line_of_a_traceback_is_told_from_prose() -> None:
    assert ends_exception(b"torch.distributed.DistBackendError: NCCL error in: a.cpp")
    assert ends_exception(b"KeyboardInterrupt")
    assert not ends_exception(b"Errors: none")
    assert not ends_exception(b"see ValueError: in the manual")


def test_an_exception_is_told_in_its_own_words_and_not_in_those_of_its_frames() -> None:
    log = """INFO serving started
ERROR worker: request failed
Traceback (most recent call last):
  File "/app/serve.py", line 71, in handle
    return score(rows)
  File "/app/score.py", line 12, in score
    raise acme.errors.TenantError("tenant 17 has no model")
acme.errors.TenantError: tenant 17 has no model
INFO waiting for requests
"""
    told = [one.text for one in causes(log)]
    assert "tenant 17 has no model" in told[0]
    assert not any("Traceback" in text or "return score" in text for text in told)


def test_a_structured_line_is_told_by_its_message_and_the_reason_beside_it() -> None:
    rows = [json.dumps({"level": "info", "msg": "scored", "ms": ms}) for ms in range(30)]
    rows[20] = json.dumps({"level": "error", "caller": "a.go:1", "msg": "cannot open store", "error": "tenant unknown"})
    assert causes("\n".join(rows))[0].text == "The log says: cannot open store: tenant unknown"


def test_who_carried_a_line_is_not_part_of_it() -> None:
    assert bare(b"(EngineCore_DP0 pid=17) ERROR 09-28 15:47:24 [core.py:718] ValueError: no room") == (
        b"ValueError: no room"
    )
    assert bare(b"(RayTrainWorker pid=4, ip=10.0.0.2) RuntimeError: no") == b"RuntimeError: no"
    assert bare(b"[rank5]: RuntimeError: no") == b"RuntimeError: no"
    assert bare(b"api-1  |    at Acme.Api.Start()") == b"   at Acme.Api.Start()"


@pytest.mark.parametrize(
    "log",
    [
        "Error:  acme: store is read by another process",
        "[warning] <0.1.0> closing connection <0.1.0>: the other side is lost",
        "INFO - Completed with 1 error and 0 warnings:\nINFO - Command exited with return code 1\nINFO - done",
        "=ERROR REPORT==== 4-Aug-2026::14:41:49 ===\n** handler 'acme' crashed.",
        "starting\nError in run(plan) : object 'rows' not found\nExecution halted",
        "recall 0.51\n2 of 3 requirements not met",
        "INFO x\nINFO Backend worker process died.\nINFO y",
    ],
)
def test_what_is_grave_is_told_at_whatever_level_it_stands(log: str) -> None:
    assert causes(log)


@pytest.mark.parametrize(
    "log",
    [
        "# WARNING overcommit must be enabled! Without it, a background save may fail under low memory\n* Ready",
        '{"level":"info","msg":"ok"}\n{"level":"warn","msg":"slow, still within budget","error":null}',
        "INFO a\nINFO attempt 1 timed out, will retry in 5 s\nINFO 200 OK\nINFO Task exited with return code 0",
        "WARNING/Worker-2] START: SECOND\nINFO/Worker-2] Task succeeded",
    ],
)
def test_a_warning_with_an_if_and_a_retry_that_went_well_are_no_failure(log: str) -> None:
    assert causes(log) == []


def test_a_line_behind_the_match_says_more_and_is_cited_with_it(tmp_path: Path) -> None:
    family = tmp_path / "new.yaml"
    family.write_text(
        "family: new\nowner: a\nkind: test\nsignatures: [{id: new.x, pattern: '^broke', "
        "behind: '^because (?P<why>.+)', cause: 'Broken[[: {why}]].', fix: [y]}]\n"
    )
    (signature,) = read_family(family)
    assert signature.said_behind(["", "because of rain"]) == (1, {"why": "of rain"})
    assert signature.said_behind(["nothing"]) is None
    log = "thread 'main' panicked at src/main.rs:6:66:\nconfig must be readable: NotFound\nnote: run with `X=1`"
    first = causes(log)[0]
    assert first.signature == "rust.panic"
    assert "config must be readable" in first.text
    assert first.rows == (1, 2)


def test_one_error_among_thousands_of_warnings_is_looked_at_in_a_large_log() -> None:
    def line(row: int) -> str:
        level = "warn" if row % 20 == 0 else "info"
        return json.dumps({"level": level, "msg": "cache miss, computing", "batch": row, "pad": "x" * 90})

    rows = [line(row) for row in range(60_000)]
    rows[23_456] = json.dumps({"level": "error", "msg": "tenant 17 was turned away"})
    found = causes("\n".join(rows))
    assert found[0].text == "The log says: tenant 17 was turned away"
    assert found[0].rows == (23_457,)


def test_the_folder_in_which_a_runner_keeps_its_builds_says_nothing_of_the_kind() -> None:
    assert kind_of_lines(["cannot read /builds/test/lint/x.bin"]) == "unknown"
    assert kind_of_lines(["see https://bandit.readthedocs.io/en/1.9/b307"]) == "sast"


@pytest.mark.parametrize(
    "line",
    [
        "Couldn't connect to the agent: is it running?", "HTTP code: 502", "bind: address already in use",
        "write /var/lib/queue: no space left on device", "open /etc/keys: Permission denied",
    ],
)  # fmt: skip
def test_what_was_not_there_around_the_work_is_infrastructure(line: str) -> None:
    assert kind_of_lines([line]) == "infrastructure"


def test_what_a_line_says_of_the_work_itself_counts_before_what_is_around_it() -> None:
    assert kind_of_lines(["test_login failed: connection refused"]) == "test"
    assert kind_of_lines(["the page is reachable"]) == "unknown"


def test_a_pod_that_runs_is_not_in_trouble_whatever_its_name_says() -> None:
    rows = (
        "NAME                          READY   STATUS    RESTARTS   AGE\n"
        "error-budget-exporter-5f6d8   1/1     Running   0          21d\n"
        "ml   failure-injector-0   2/2   Running   0   3h\n"
    )
    assert causes(rows) == []
    assert causes(f"{rows}error-budget-exporter-7c9f1   0/1     CrashLoopBackOff   12   1h\n")
