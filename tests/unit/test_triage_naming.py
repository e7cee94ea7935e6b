"""Paths and line numbers that logs of many tools name, as they stand in the repository."""

import pytest

from pipelines.triage.changes import added_lines
from pipelines.triage.naming import by_interest, guesses, inside, lines_with, named_places


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('  File "/home/runner/work/churn/churn/app/train.py", line 41, in fit', ("app/train.py", 41)),
        ("tests/test_train.py:13: AssertionError", ("tests/test_train.py", 13)),
        ("./src/a.cc:10:5: error: x", ("src/a.cc", 10)),
        ("src/app.ts(12,5): error TS2322: x", ("src/app.ts", 12)),
        ("  --> font/src/lib.rs:28:1", ("font/src/lib.rs", 28)),
        ("PHP Fatal error: x in src/a.php on line 7", ("src/a.php", 7)),
        (r"D:\a\app\app\src\x.py:3: error", ("src/x.py", 3)),
        ("/builds/team/app/lib/x.rb:5:in `y'", ("lib/x.rb", 5)),
    ],
)  # fmt: skip
def test_a_place_is_read_out_of_the_line(line: str, place: tuple[str, int]) -> None:
    assert named_places([line]) == {place[0]: (place[1],)}


@pytest.mark.parametrize(
    "path",
    ["/usr/lib/python3.11/json/decoder.py", "/opt/hostedtoolcache/Python/x.py", ".venv/lib/site-packages/a.py",
     "node_modules/a/b.js", "../../etc/passwd.txt", "/root/go/pkg/mod/a.go", "x" * 300 + ".py"],
)  # fmt: skip
def test_code_of_others_and_ways_out_are_no_places(path: str) -> None:
    assert inside(path) == ""
    assert named_places([f'File "{path}", line 3']) == {}


def test_a_file_that_was_changed_comes_first_and_is_found_by_the_end_of_its_path() -> None:
    places = named_places(["a/x.py:1: e", "/srv/build/app/train.py:2: e", "a/x.py:9: e"])
    assert places["a/x.py"] == (1, 9)
    changed = ["services/app/train.py", "app/train.py"]
    assert by_interest(places, changed)[0][0] == "/srv/build/app/train.py"
    assert guesses("/srv/build/app/train.py", ["app/train.py"]) == ["app/train.py"]
    assert guesses("/srv/build/app/train.py", []) == [
        "srv/build/app/train.py",
        "build/app/train.py",
        "app/train.py",
        "train.py",
    ]


def test_huge_and_hostile_lines_are_bounded() -> None:
    assert len(named_places([f"a.py:{number}: x" for number in range(1, 100)])["a.py"]) == 8
    assert named_places(["a.py:0: x", "a.py:99999999999: x", "::::", "\x00.py:1"]) in ({}, {".py": (1,)})
    assert named_places(["a/" * 200_000 + "b.py:1"]) == {}


def test_added_lines_are_numbered_as_in_the_new_file() -> None:
    patch = "@@ -1,3 +1,4 @@\n a\n-b\n+c\n+d\n e\n@@ -10 +11,2 @@\n x\n+y"
    assert added_lines(patch) == (2, 3, 12)
    assert added_lines("") == added_lines("no hunk") == ()


def test_the_step_is_found_in_the_workflow_file() -> None:
    assert lines_with("jobs:\n  a:\n    steps:\n      - run: pytest -q\n", ["pytest -q", "x"]) == (4,)
