"""An error in the middle of a line that is too long to be shown: it is found, and the line is cut around it."""

import json
import re
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evidence.analysing import analyse
from pipelines.evidence.cleaning import shown
from pipelines.evidence.long_lines import LONGEST, PIECE, ROOM, cut, shortened, sign, told
from pipelines.evidence.reading import Options

ERROR = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
WORDS = "all went well with row {}, "


def long(count: int, error: str = ERROR, share: float = 0.5) -> str:
    words = "".join(WORDS.format(number) for number in range(count // 28))
    at = int(len(words) * share)
    return (words[:at] + error + words[at:]).rstrip()


def event(size: int, **said: str) -> str:
    """A JSON line with its error between two large fields."""
    return json.dumps({"level": "error", "batch": "x" * size, **said, "config": "y" * size})


@pytest.mark.parametrize("size", [5_000, 100_000, 3_000_000])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_error_between_the_ends_of_one_long_line_is_the_cause_and_is_shown(size: int, share: float) -> None:
    content = f"start\n{long(size, share=share)}\nend\n".encode()
    found = analyse([("one.log", content)], Options(kind="ci", failed=True))
    assert found.suspicions[0][1].signature == "ml.cuda-oom"
    assert found.suspicions[0][1].rows == (2,)
    (line,) = [line.text for line in found.extract.lines if line.number == 2]
    assert "torch.OutOfMemoryError: CUDA out of memory" in line
    assert len(line) < 500
    gaps = re.findall(r" … (\d+) characters left out … ", line)
    assert len(re.sub(r" … \d+ characters left out … ", "", line)) + sum(map(int, gaps)) == len(long(size, share=share))


def test_of_json_lines_of_100_kilobytes_the_one_with_the_error_inside_is_told() -> None:
    rows = [json.dumps({"level": "info", "message": f"batch {number}", "rows": "z" * 100_000}) for number in range(150)]
    rows[70] = event(50_000, exc_info=f"Traceback (most recent call last):\\n {ERROR}")
    found = analyse([("app.jsonl", "\n".join(rows).encode())])
    assert found.suspicions[0][1].signature == "ml.cuda-oom"
    assert any(line.number == 71 and "Traceback" in line.text for line in found.extract.lines)


def test_the_error_of_one_line_among_enormous_ones_is_found() -> None:
    rows = [long(2_500_000, error="") for _ in range(8)]
    rows[3] = long(2_500_000)
    found = analyse([("huge.log", "\n".join(rows).encode())], Options(kind="ci", failed=True))
    assert found.suspicions[0][1].rows == (4,)


def test_an_error_on_the_border_of_two_pieces_is_seen() -> None:
    for shift in range(0, len(ERROR), 7):
        content = b"x " * ((PIECE - shift) // 2) + ERROR.encode() + b" y" * 9_000
        assert sign(content, 0, len(content)) == (0, content.index(b"OutOfMemoryError") - len("torch.") + 6)


def test_a_line_whose_beginning_says_as_much_is_cut_in_its_middle() -> None:
    line = f"ValueError: no. {long(9_000)}".encode()
    assert shown(line).startswith(line[:3_000])
    assert cut(f"ValueError: no. {long(2_000)}").startswith("ValueError: no. all went well")


def test_a_cause_in_the_logs_own_words_begins_near_the_error_of_a_long_line() -> None:
    line = long(60_000, error="WidgetError: the frobnicator is gone")
    found = analyse([("log", f"fine\n{line}\n".encode())], Options(kind="ci", failed=True)).suspicions
    assert any("WidgetError: the frobnicator is gone" in one.text for _, one in found)
    assert all(len(one.text) <= 320 for _, one in found)
    assert told("short", 300) == "short"
    assert told(f"ValueError: no {WORDS * 20}", 300).startswith("ValueError: no ")


def test_what_only_names_a_level_gives_way_to_the_error_itself() -> None:
    assert "CUDA out of memory" in cut(event(900, message=ERROR))
    assert "CUDA out of memory" in shown(event(9_000, message=ERROR).encode()).decode()


@given(st.binary(max_size=9_000).map(lambda some: some.replace(b"\n", b" ") * 3), st.integers(0, 27_000))
@settings(max_examples=40, deadline=None)
def test_whatever_the_bytes_no_more_is_kept_than_may_be(some: bytes, at: int) -> None:
    line = some[:at] + b"Error: no" + some[at:]
    kept = shortened(line, 0, len(line))
    assert len(kept) <= LONGEST + ROOM
    gaps = re.findall(rb" \xe2\x80\xa6 (\d+) bytes not looked at \xe2\x80\xa6 ", kept)
    if len(line) > LONGEST + ROOM:
        left = re.sub(rb" \xe2\x80\xa6 \d+ bytes not looked at \xe2\x80\xa6 ", b"", kept)
        assert len(left) + sum(map(int, gaps)) == len(line)


@given(st.text(max_size=1_500).map(lambda some: some * 2), st.sampled_from(["", "Error: no", "船 panic: no"]))
@settings(max_examples=60, deadline=None)
def test_a_cut_line_says_how_much_is_left_out(some: str, error: str) -> None:
    text = some[:600] + error + some[600:]
    gap = r" … (\d+) characters left out … "
    kept = cut(text)
    assert len(re.sub(gap, "", kept)) + sum(map(int, re.findall(gap, kept))) == len(text)
    assert len(kept) < max(430, len(text) + 1)


def test_one_line_of_100_megabytes_costs_a_second_and_no_memory_of_its_size() -> None:
    half = (b"loss 0.3 accuracy 0.9 " * 50_000)[: 1 << 20] * 50
    content = b"start\n" + half + ERROR.encode() + half + b"\nend\n"
    analyse([("warm", b"x\n")])
    tracemalloc.start()
    began = time.process_time()
    found = analyse([("one.log", content)], Options(kind="ci", failed=True))
    seconds, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.suspicions[0][1].signature == "ml.cuda-oom"
    assert most < 60 << 20
    assert seconds < 20  # one second alone; tracing and neighbours make it more
