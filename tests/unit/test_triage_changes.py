"""What is different from the last time it went well."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.triage.changes import (
    lines_of_step,
    new_lines,
    package_changes,
    packages_of_lock,
    template,
    templates,
    tools_of_log,
    version_changes,
)
from pipelines.triage.comparing import of_each_job
from pipelines.triage.values import CiStep, NewLine, Toolset, VersionChange

LOG = """\ufeff2026-11-25T21:20:00.1000000Z Current runner version: '2.329.0'
2026-11-25T21:20:00.2000000Z ##[group]Runner Image
2026-11-25T21:20:00.2100000Z Image: ubuntu-24.04
2026-11-25T21:20:00.2200000Z Version: 20251102.3.0
2026-11-25T21:20:01.0Z Download action repository 'actions/checkout@v5' (SHA:08c6903cd8c0fde910a37f88322edcfb5dd907a8)
2026-11-25T21:20:02.0000000Z ##[group]Run pip install -r requirements.txt
2026-11-25T21:20:03.0000000Z Successfully installed numpy-2.2.0 scikit-learn-1.7.2 python-dateutil-2.9.0.post0
2026-11-25T21:20:03.5000000Z  + polars==1.35.0
2026-11-25T21:20:04.0000000Z ##[group]Run pytest
2026-11-25T21:20:04.5000000Z E   assert 1 == 2
2026-11-25T21:20:05.0000000Z ##[error]Process completed with exit code 1.
2026-11-25T21:20:06.5000000Z Post job cleanup.""".splitlines()


PINNED = "numpy==2.1.0 \\\n    --hash=sha256:aa\n# x\nPandas[all]==2.3.1 ; python_version > '3'\nfoo>=1\n"
NODE = {"": {"version": "1"}, "node_modules/a/node_modules/@b/c": {"version": "2.0.0"}}


def step(first: int, last: int) -> CiStep:
    return CiStep(
        3, "Run pytest", "failure", *(datetime(2026, 11, 25, 21, 20, second, tzinfo=UTC) for second in (first, last))
    )


def test_a_log_tells_what_the_run_worked_with() -> None:
    assert tools_of_log(LOG) == Toolset(
        "ubuntu-24.04 20251102.3.0", "2.329.0", (("actions/checkout", "v5 (08c6903)"),),
        (("numpy", "2.2.0"), ("scikit-learn", "1.7.2"), ("python-dateutil", "2.9.0.post0"), ("polars", "1.35.0")),
    )  # fmt: skip


def test_what_only_one_log_tells_of_at_all_is_not_a_change() -> None:
    known = tools_of_log(LOG)
    assert version_changes(Toolset(), known) == version_changes(known, Toolset()) == ()
    newer = Toolset(known.image, "2.330.0", (("actions/checkout", "v6 (aaaaaaa)"),), known.packages)
    assert version_changes(known, newer) == (
        VersionChange("runner", "runner", "2.329.0", "2.330.0"),
        VersionChange("action", "actions/checkout", "v5 (08c6903)", "v6 (aaaaaaa)"),
    )


def test_the_lines_of_a_step_are_found_by_their_times() -> None:
    found = list(lines_of_step(LOG, step(4, 5)))
    assert [number for number, _ in found] == [9, 10, 11]


def test_the_end_of_the_step_before_is_not_of_this_one() -> None:
    assert next(number for number, _ in lines_of_step(LOG, step(3, 5))) == 7
    assert next(number for number, _ in lines_of_step(LOG, step(2, 5))) == 6


def test_lines_without_times_belong_to_the_line_before() -> None:
    log = [*LOG[:10], "    a traceback goes on", *LOG[10:]]
    assert (11, "    a traceback goes on") in list(lines_of_step(log, step(4, 5)))


def test_without_a_step_or_without_times_everything_is_looked_at() -> None:
    assert len(list(lines_of_step(LOG, None))) == len(LOG)
    assert len(list(lines_of_step(["no", "times"], step(4, 5)))) == 2


def test_only_lines_that_the_green_run_did_not_print_are_new() -> None:
    green = ["2026-11-24T10:00:00.0Z 2 passed in 1.31s", "object at 0x7feaa5e0ef90", "run 4f9c2d1e8a7b"]
    failed = [
        "2 passed in 4.10s",
        "object at 0x7feaa5e0ef11",
        "run 1a2b3c4d5e6f",
        "",
        "boom at 3",
        "boom at 4",
        "other",
    ]
    found = new_lines(enumerate(failed, start=1), templates(green))
    assert [(line.number, line.text, line.times) for line in found] == [(5, "boom at 3", 2), (7, "other", 1)]


def test_a_million_different_lines_stay_bounded() -> None:
    words = ("".join(pair) for pair in zip("abcdefghij" * 5000, "klmnopqrstu" * 5000, strict=False))
    assert len(new_lines(((number, f"{word} {word * 7}") for number, word in enumerate(words)), frozenset())) <= 200


@given(st.text(max_size=2000))
def test_the_runners_time_makes_no_other_template_of_any_line(line: str) -> None:
    assert template(f"2026-11-25T21:20:04.5000000Z {line}") == template(line)


@pytest.mark.parametrize(
    ("path", "text", "packages"),
    [
        ("requirements.txt", PINNED, {"numpy": "2.1.0", "pandas": "2.3.1"}),
        ("uv.lock", '[[package]]\nname = "numpy"\nversion = "2.1.0"\n', {"numpy": "2.1.0"}),
        ("web/package-lock.json", json.dumps({"packages": NODE}), {"@b/c": "2.0.0"}),
        ("go.mod", "module x\n\nrequire (\n\tgolang.org/x/net v0.30.0\n)\n", {"golang.org/x/net": "v0.30.0"}),
        ("uv.lock", "not toml [", {}),
        ("package-lock.json", "[]", {}),
        ("package-lock.json", "{", {}),
        ("train.py", "numpy==2.1.0", {}),
    ],
)  # fmt: skip
def test_lock_files_are_read_and_others_are_not_trusted(path: str, text: str, packages: dict[str, str]) -> None:
    assert packages_of_lock(path, text) == packages


def test_a_package_that_came_or_went_has_no_version_on_the_other_side() -> None:
    assert package_changes({"a": "1", "b": "1"}, {"a": "1", "c": "2"}) == [
        VersionChange("package", "b", "1", ""),
        VersionChange("package", "c", "", "2"),
    ]


@pytest.mark.parametrize(
    ("sizes", "most", "kept"),
    [((9, 9), 5, "aaabb"), ((1, 9), 5, "abbbb"), ((9, 1), 5, "aaaab"), ((2, 2), 9, "aabb"), ((9, 9, 9), 2, "ab"),
     ((), 5, ""), ((3,), 0, "")],
)  # fmt: skip
def test_each_job_has_its_part_of_the_new_lines_that_are_told(sizes: tuple[int, ...], most: int, kept: str) -> None:
    lines = [NewLine(number, "x", job=job) for job, size in zip("abc", sizes, strict=False) for number in range(size)]
    assert "".join(line.job for line in of_each_job(lines, most)) == kept
