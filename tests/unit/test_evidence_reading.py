"""Bytes of any kind and size become numbered lines, in memory that does not grow with them."""

import gzip
import io
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import Refused
from pipelines.evidence.analysing import analyse
from pipelines.evidence.cleaning import bare, shown
from pipelines.evidence.lines import count_lines, table
from pipelines.evidence.reading import Options, read
from pipelines.evidence.sources import TooLarge, opened
from pipelines.evidence.steps import outline
from pipelines.evidence.windows import windows

FAILURE = b"ModuleNotFoundError: No module named 'sklearn'"


def lines_of(content: bytes, closely: int = 1 << 30) -> dict[int, bytes]:
    held = table(content, *windows(content, closely))
    return dict(zip(held.numbers, held.shown, strict=True))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"\x1b[31;1merror\x1b[0m: no\x1b[K", b"error: no"),
        (b"10%\r50%\r100% done\r", b"100% done"),
        (b"2026-07-29T23:48:08.2790307Z ##[error]no", b"##[error]no"),
        (b"\xef\xbb\xbf2026-07-29T23:48:08.2790307Z hello", b"hello"),
        (b"build\tRun tests\t2026-07-29T23:48:08.2790307Z FAILED", b"FAILED"),
        (b"[2026-01-01T10:00:00.000Z] + make", b"+ make"),
        (b"\x1b_bk;t=1700000000000\x07$ make", b"$ make"),
        (b"nul\x00byte\x07", b"nulbyte"),
        (b"windows\r", b"windows"),
        (b"[31;1mred without its escape[0m", b"red without its escape"),
        (b"index[0] = m", b"index[0] = m"),
    ],
)
def test_a_line_is_shown_without_what_its_carrier_added(line: bytes, wanted: bytes) -> None:
    assert shown(line) == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"2026-01-01 10:00:00,123 ERROR no", b"ERROR no"),
        (b"[pod/web-1/app] 2026-01-01T10:00:00Z panic: no", b"panic: no"),
        (b"web-1  | ready", b"ready"),
        (b"Jan  2 10:00:00 oom", b"oom"),
        (b"12:00:01 INFO - ran", b"ran"),
        (b"error: at 10:00", b"error: at 10:00"),
        (b"2 + 2", b"2 + 2"),
    ],
)
def test_patterns_are_matched_without_time_stamps_and_names_of_pods(line: bytes, wanted: bytes) -> None:
    assert bare(line) == wanted


@given(
    st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=60), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_numbers_are_those_of_an_editor_whatever_the_bytes(lines: list[bytes], ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    held = lines_of(content)
    wanted = content.split(b"\n")
    wanted = wanted[:-1] if wanted[-1] == b"" else wanted
    assert held == {number: shown(line) for number, line in enumerate(wanted, 1) if shown(line).strip()}
    assert count_lines(content) == len(wanted) == windows(content)[1]


def test_windows_of_a_large_log_keep_their_numbers_and_find_the_failure() -> None:
    rows = [b"step %d of the build is fine" % number for number in range(1, 120_001)]
    rows[70_122] = FAILURE
    content = b"\n".join(rows) + b"\n"
    held = lines_of(content, closely=400_000)
    assert len(held) < 20_000
    assert held[70_123] == FAILURE
    assert all(int(re.findall(rb"\d+", line)[0]) == number for number, line in held.items() if number != 70_123)
    assert windows(content, 400_000)[1] == 120_000


def test_a_gzipped_file_a_stream_and_a_plain_file_read_the_same(tmp_path: Path) -> None:
    content = b"one\ntwo\nthree" * 1000
    plain, packed = tmp_path / "a.log", tmp_path / "a.log.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    for source in (
        plain,
        packed,
        content,
        gzip.compress(content),
        io.BytesIO(content),
        io.BytesIO(gzip.compress(content)),
    ):
        with opened(source) as buffer:
            assert buffer[:] == content


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_reads_like_a_file(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    content, pipe = b"start\ntwo\nthree" * 1000, tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(pack(content),))
    writer.start()
    with opened(pipe) as buffer:
        assert buffer[:] == content
    writer.join()


def test_an_upload_on_the_disk_reads_like_its_bytes() -> None:
    content = b"one\ntwo\nthree" * 1000
    for sent in (content, gzip.compress(content), b"x"):
        with tempfile.SpooledTemporaryFile(max_size=100) as file:
            file.write(sent)
            file.seek(0)
            with opened(cast("IO[bytes]", file)) as buffer:
                assert buffer[:] == (content if sent != b"x" else sent)


def test_what_was_there_of_a_cut_archive_is_read_and_a_false_one_refused(tmp_path: Path) -> None:
    with opened(gzip.compress(b"hello\n" * 10_000, mtime=0)[:-12]) as buffer:
        assert buffer[:6] == b"hello\n"
    with pytest.raises(Refused, match=r"begins like a \.gz file"), opened(b"\x1f\x8b not at all gzipped"):
        pass
    with pytest.raises(Refused, match="No such file"), opened(tmp_path / "nowhere.log"):
        pass
    with pytest.raises(Refused, match="directory"), opened(tmp_path):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\n\n\n", b"\x00" * 5000, b"\xff\xfe" * 3000, bytes(range(256)) * 50, b"\r\r\r"]
)
def test_junk_and_nothing_give_an_empty_handed_answer(content: bytes) -> None:
    found = analyse([("log", content)])
    assert found.suspicions == ()
    assert found.extract.tokens <= 2_000


@given(st.binary(max_size=3_000))
@settings(max_examples=40, deadline=None)
def test_no_bytes_break_the_engine_nor_its_budget(content: bytes) -> None:
    extract = analyse([("log", content)], Options(budget_tokens=120)).extract
    assert extract.tokens <= 120
    numbers = [line.number for line in extract.lines]
    assert numbers == sorted(set(numbers))


PROGRAM = """
import resource, sys
from pathlib import Path
from pipelines.evidence.analysing import analyse
found = analyse([("log", Path(sys.argv[1]))])
anonymous = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
print(found.extract.lines[-1].number, anonymous, any("No module" in line.text for line in found.extract.lines))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which only Linux has")
def test_one_line_of_200_megabytes_is_never_held_whole(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    with log.open("wb") as out:
        out.write(b"start\n")
        for _ in range(200):
            out.write(b"x" * (1 << 20))
        out.write(b"\n" + FAILURE + b"\n")
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(log)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    assert (told[0], told[2]) == ("3", "True")
    assert int(told[1]) < 200_000  # KiB
    assert resource.getpagesize() > 0


GITLAB = b"""\x1b[0KRunning with gitlab-runner 17.5.0 (66a723c3)\x1b[0;m
\x1b[0Ksection_start:1700000000:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting "step_script" stage\x1b[0;m\x1b[0;m
\x1b[32;1m$ pip install -r requirements.txt\x1b[0;m
Successfully installed a-1
\x1b[32;1m$ pytest -q\x1b[0;m
E   AssertionError: score too low
FAILED tests/test_a.py::test_b - AssertionError: score too low
1 failed, 1 passed in 1.4s
\x1b[0Ksection_end:1700000009:step_script\r\x1b[0K
\x1b[0Ksection_start:1700000010:after_script\r\x1b[0K\x1b[0K\x1b[36;1mRunning after_script\x1b[0;m\x1b[0;m
\x1b[32;1m$ cat /var/log/app.log\x1b[0;m
ConnectionRefusedError: [Errno 111] Connection refused
\x1b[0Ksection_end:1700000011:after_script\r\x1b[0K
\x1b[31;1mERROR: Job failed: exit code 1
\x1b[0;m
"""
JENKINS = b"""[Pipeline] { (Test)
[Pipeline] sh
+ pytest -q
FAILED tests/test_a.py::test_b - AssertionError: score too low
1 failed in 1s
[Pipeline] }
[Pipeline] // stage
[Pipeline] stage
[Pipeline] { (Declarative: Post Actions)
[Pipeline] sh
+ cat app.log
ConnectionRefusedError: [Errno 111] Connection refused
[Pipeline] }
[Pipeline] End of Pipeline
ERROR: script returned exit code 1
Finished: FAILURE
"""
AZURE = b"""2026-01-05T10:00:00.0000000Z ##[section]Starting: Unit tests
2026-01-05T10:00:01.0000000Z FAILED tests/test_a.py::test_b - AssertionError: score too low
2026-01-05T10:00:02.0000000Z ##[error]Bash exited with code '1'.
2026-01-05T10:00:02.0000000Z ##[section]Finishing: Unit tests
2026-01-05T10:00:03.0000000Z ##[section]Starting: Checkout cleanup
2026-01-05T10:00:04.0000000Z ConnectionRefusedError: [Errno 111] Connection refused
"""


@pytest.mark.parametrize(("log", "step"), [(GITLAB, "pytest -q"), (JENKINS, "sh"), (AZURE, "Unit tests")])
def test_what_teardown_prints_is_not_the_cause(log: bytes, step: str) -> None:
    found = analyse([("log", log)])
    assert found.extract.failing_step is not None
    assert found.extract.failing_step.name == step
    assert found.suspicions[0][1].text.startswith("The test tests/test_a.py::test_b failed")


def test_the_failing_command_and_its_step_are_found_and_the_teardown_is_not_in_it() -> None:
    rows = [
        b"##[group]Run pip install -r requirements.txt", b"ok", b"##[endgroup]", b"##[group]Run pytest",
        b"##[endgroup]", b"FAILED tests/test_a.py::test_b", b"##[error]Process completed with exit code 1.",
        b"Post job cleanup.", b"git version",
    ]  # fmt: skip
    found = outline(rows)
    assert found.marker == 6
    assert found.failing is not None
    assert (found.failing.name, found.failing.last) == ("Run pytest", 6)


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (
            [b"$ make test", b"no", b'The command "make test" exited with 2.', b"Done. Your build exited with 1."],
            "make test",
        ),
        (
            [b"section_start:1700000000:step_script", b"$ go test", b"FAIL", b"ERROR: Job failed: exit code 1"],
            "go test",
        ),
        (
            [
                b"[Pipeline] { (Build)",
                b"[Pipeline] sh",
                b"no",
                b"ERROR: script returned exit code 2",
                b"Finished: FAILURE",
            ],
            "sh",
        ),
        (
            [
                b"~~~ Preparing",
                b"--- Running tests",
                b"no",
                b"\xf0\x9f\x9a\xa8 Error: The command exited with status 1",
            ],
            "Running tests",
        ),
        ([b"##[section]Starting: Build", b"no", b"##[error]Bash exited with code '1'."], "Build"),
    ],
)
def test_steps_of_many_ci_systems_are_understood(rows: list[bytes], name: str) -> None:
    found = outline(rows)
    assert found.failing is not None
    assert found.failing.name == name


def test_many_threads_read_at_once_and_each_finds_what_one_would() -> None:
    log = b"2026-11-26 ERROR worker 7 failed: connection refused\n" * 20_000 + b"fatal: exit code 1\n"
    alone = read(log, Options()).looks.groups
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: read(log, Options()).looks.groups, range(6)))
    assert all(numpy.array_equal(one, alone) for one in found)


def test_of_an_archive_no_more_is_unpacked_than_may_be() -> None:
    packed = gzip.compress(b"x" * 3_000_000)
    with opened(packed, 3_000_000) as whole:
        assert len(whole) == 3_000_000
    with pytest.raises(TooLarge, match="more than 2,999,999 bytes"), opened(packed, 2_999_999):
        pass
