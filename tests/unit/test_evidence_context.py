"""Files and changes beside a log: cited like its lines, shown by code; a patch applies to what was read, or is none."""

from dataclasses import replace

import pytest

from pipelines.evidence.analysing import Analysis, analyse
from pipelines.evidence.context import (
    Change,
    Context,
    FreshLine,
    SourceFile,
    citable,
    citable_fresh,
    file_text,
    fresh_text,
    related,
    shown_lines,
)
from pipelines.evidence.patches import grounded, steps
from pipelines.evidence.reporting import report
from pipelines.evidence.signatures import catalogue
from pipelines.evidence.statement import changed_side, material
from pipelines.reports import Claim, Evidence, checked

FILE = SourceFile(
    "app/train.py", "3f2a1b0",
    (
        "import numpy", "", "def train(rows):", "    token = ‹secret:token:1›", "    return fit(rows, 0.1)", "",
        "train([])",
    ),
    named=(5,), added=(5,), hidden=(4,),
)  # fmt: skip
MANIFEST = SourceFile("k8s/app.yaml", "3f2a1b0", ("kind: Deployment", "spec:", "  replicas: 1", "  paused: false"))
CONTEXT = Context(
    files=(FILE, MANIFEST),
    changes=(Change("package", "numpy", "1.26.4", "2.0.1"), Change("action", "actions/checkout", "v4", "v5")),
    fresh=(FreshLine("test", 57, "boom"),), green=12,
)  # fmt: skip
LOG = b"""##[group]Run python app/train.py
  File "/home/runner/work/app/app/app/train.py", line 5, in train
ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88
##[error]Process completed with exit code 1.
"""


def analysis(context: Context = CONTEXT) -> Analysis:
    return replace(analyse([("train", LOG)]), context=context)


def test_a_version_that_changed_stands_beside_the_error_that_names_the_package_and_the_old_one_is_the_first_step() -> (
    None
):
    found = report(analysis())
    beside = [one for cause in found.causes for one in cause.evidence if not one.of_log]
    assert Evidence("what changed since run 12", 0, "package numpy: 1.26.4 → 2.0.1") in beside
    assert Evidence("app/train.py", 5, "    return fit(rows, 0.1)", "at 3f2a1b0, new since run 12") in beside
    assert found.fix[0] == "numpy was 1.26.4 in run 12, the last green one, and is 2.0.1 now: try 1.26.4 again."
    assert "checkout" not in str(beside)


def test_what_stands_beside_a_failure_does_not_change_its_fingerprint() -> None:
    assert report(analysis()).fingerprint == report(analysis(Context())).fingerprint != ""


@pytest.mark.parametrize("name", ["test", "pip", "py", "checkout"])
def test_packages_whose_names_are_words_of_every_log_are_not_blamed(name: str) -> None:
    context = Context(changes=(Change("package", name, "1", "2"),), green=1)
    assert related([f"the {name} failed"], context) == ()


def test_references_lead_to_lines_of_files_changes_and_new_lines_and_nothing_else() -> None:
    known = citable(CONTEXT)
    assert known["F1:5"].text == "    return fit(rows, 0.1)"
    assert known["C1"].text == "package numpy: 1.26.4 → 2.0.1"
    assert {"F1:0", "F1:8", "F3:1", "C3", "C0"} & set(known) == set()


def test_new_lines_of_several_logs_are_told_apart() -> None:
    lines = (FreshLine("test", 57, "boom"), FreshLine("lint (3.12)", 57, "F401"), FreshLine("lint (3.12)", 58, "F402"))
    context = Context(fresh=lines)
    assert {name: (one.source, one.text) for name, one in citable_fresh(context).items()} == {
        "N1:57": ("test", "boom"), "N2:57": ("lint (3.12)", "F401"), "N2:58": ("lint (3.12)", "F402"),
    }  # fmt: skip
    assert fresh_text(context, 9) == [
        "N1 is test", "N1:57|boom", "N2 is lint (3.12)", "N2:57|F401", "N2:58|F402",
    ]  # fmt: skip
    assert fresh_text(Context(fresh=lines[:1]), 9) == ["N57|boom"]
    assert fresh_text(Context(), 9) == []


def test_a_cause_may_cite_them_but_rests_on_a_line_of_the_log() -> None:
    extract = analysis().extract
    claims = [
        Claim("numpy is another one", ("C1", "F1:5"), 0.9),
        Claim("numpy.dtype size changed with numpy 2", ("3", "C1", "F1:5", "F9:1"), 0.9),
        Claim("boom", ("N57",), 0.9),
    ]
    causes, struck = checked(claims, extract, {"N57": Evidence("test", 57, "boom")}, citable(CONTEXT))
    assert [cause.text for cause in causes] == ["numpy.dtype size changed with numpy 2", "boom"]
    assert len(causes[0].evidence) == 3
    assert struck == ("numpy is another one",)


def test_a_model_is_shown_a_window_with_marks_for_what_is_named_and_new() -> None:
    long = replace(FILE, lines=tuple(f"row {number}" for number in range(1, 500)), named=(100, 400), added=(400,))
    assert shown_lines(long)[0] == 88
    assert "F1:400+>|row 400" in file_text(1, long)
    assert "\n…\n" in file_text(1, long)
    labels = [block.label for block in material(analysis())]
    assert "F1 is app/train.py at 3f2a1b0" in labels
    assert "what changed since run 12" in labels


DIFF = (
    "--- a/app/train.py\n+++ b/app/train.py\n@@ -5,1 +5,1 @@\n-    return fit(rows, 0.1)\n+    return fit(rows, 0.2)\n"
)
PATCHES = {
    "one that applies": (DIFF, True),
    "in a fence": (f"```diff\n{DIFF}```", True),
    "at a wrong number": (DIFF.replace("-5,1", "-1,1"), True),
    "a new file's name": (DIFF.replace("app/train.py", "app/other.py"), False),
    "a line that is not there": (DIFF.replace("fit(rows, 0.1)", "fit(rows, 0.3)"), False),
    "other blanks": (DIFF.replace("-    return", "-\treturn"), False),
    "a line that was made unreadable": (DIFF.replace("return fit(rows, 0.1)", "token = ‹secret:token:1›"), False),
    "nothing to find": ("--- a/app/train.py\n+++ b/app/train.py\n@@ -0,0 +1 @@\n+import os\n", False),
    "without a path": ("@@ -5,1 +5,1 @@\n-    return fit(rows, 0.1)\n+    return 1\n", False),
    "half of it": (DIFF + DIFF.replace("app/train.py", "no/where.py"), False),
    "outside": (DIFF.replace("app/train.py", "../../etc/passwd"), False),
    "huge": (DIFF + "+x\n" * 9_000, False),
    "words": ("Set the rate to 0.2.", False),
    "YAML with keys of the file": ("spec:\n  replicas: 3\n", True),
    "YAML with a branch that is not there": ("spec:\n  template:\n    a: 1\n", False),
    "YAML of another file": ("jobs:\n  test: 1\n", False),
    "the file itself": ("kind: Deployment\nspec:\n  replicas: 1\n  paused: false\n", False),
    "YAML that is none": ("a: [", False),
    "YAML with a value to fill in": ("spec:\n  replicas: <as many as you need>\n", False),
    "empty": ("", False),
}  # fmt: skip


@pytest.mark.parametrize(("patch", "holds"), PATCHES.values(), ids=PATCHES.keys())
def test_a_patch_holds_only_where_it_applies_to_a_file_that_was_read(patch: str, holds: bool) -> None:
    assert bool(grounded(patch, CONTEXT.files)) is holds


OOM = b"    Last State:     Terminated\n      Reason:       OOMKilled\n      Exit Code:    137\n"


def with_patch(monkeypatch: pytest.MonkeyPatch, patch: str) -> None:
    """The template of the signature of a container that was killed for its memory."""
    held = tuple(replace(one, patch=patch) if one.id == "kubernetes.oom-killed" else one for one in catalogue())
    monkeypatch.setattr("pipelines.evidence.signatures.catalogue", lambda: held)


def test_the_template_of_a_signature_is_told_as_steps_where_no_file_was_read_to_which_it_applies() -> None:
    found = report(analyse([("pod", OOM)]))
    assert found.causes[0].origin == "kubernetes.oom-killed"
    assert (found.patch, found.struck) == ("", ())
    assert found.fix[-1] == "Set resources.limits.memory to <twice the peak that was measured>."


@pytest.mark.parametrize(
    ("template", "files", "shown"),
    [
        (DIFF, (FILE,), True),
        (DIFF, (), False),
        (DIFF.replace("fit(rows, 0.1)", "fit(rows, 9)"), (FILE,), False),
        ("spec:\n  replicas: 3\n", (MANIFEST,), True),
        ("spec:\n  replicas: 3\n", (FILE,), False),
        ("spec:\n  template:\n    a: 1\n", (MANIFEST,), False),
    ],
)
def test_the_template_of_a_signature_is_a_patch_only_where_it_applies_to_a_file_that_was_read(
    monkeypatch: pytest.MonkeyPatch, template: str, files: tuple[SourceFile, ...], shown: bool
) -> None:
    with_patch(monkeypatch, template)
    found = report(replace(analyse([("pod", OOM)]), context=Context(files=files)))
    assert bool(found.patch) is shown
    assert found.fix[-1].startswith(("Set ", "By hand: ")) is not shown
    assert found.struck == ()


def test_steps_name_the_place_of_each_value() -> None:
    assert steps("env:\n  - name: TOKEN\n    value: <its value>") == ("Set env[TOKEN].value to <its value>.",)
    assert steps("a: 1\nb:\n  - c: 2") == ("Set a to 1.", "Set b[0].c to 2.")
    assert steps("use a newer image\n\n  and pin it") == ("By hand: use a newer image; and pin it",)
    assert steps("") == ()


def test_two_hunks_apply_in_their_order() -> None:
    first = "@@ -1 +1 @@\n-import numpy\n+import numpy as np\n"
    last = "@@ -7 +7 @@\n-train([])\n+train([1])\n"
    head = "--- a/app/train.py\n+++ b/app/train.py\n"
    assert grounded(head + first + last, CONTEXT.files)
    assert not grounded(head + last + first, CONTEXT.files)


@pytest.mark.parametrize(
    ("paths", "side"),
    [(["app/x.py"], "code"), (["tests/test_x.py"], "test"), (["app/x.py", "tests/test_x.py"], "unknown"),
     (["README.md"], "unknown"), (["pkg/x_test.go"], "test"), ([], "unknown")],
)  # fmt: skip
def test_the_side_that_was_changed_is_told_where_it_is_one_only(paths: list[str], side: str) -> None:
    context = Context(changes=tuple(Change("file", path) for path in paths), green=1)
    assert changed_side(analysis(context)) == side
