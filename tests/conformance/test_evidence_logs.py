"""The evidence engine on logs that nobody here wrote; thresholds lie a little below what was measured."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.evaluation.evidence import Case, read_cases
from pipelines.evidence.analysing import analyse
from pipelines.evidence.cues import CUES, GROUPS
from pipelines.evidence.features import looks
from pipelines.evidence.lines import Window, table
from pipelines.evidence.reading import Options
from pipelines.evidence.reporting import report

SPEAKING = {GROUPS.index(group) for group in ("error", "weak", "place", "warning", "summary")}


@pytest.fixture(scope="session")
def logs(shipmate_data: Path) -> Path:
    return shipmate_data / "logs"


def figures(logs: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, float]]:
    assert main(["evaluate", "evidence", "--data", str(logs), "--json", *arguments]) == 0
    (index,) = json.loads(capsys.readouterr().out)["indexes"].values()
    return dict(index)


def test_the_failing_line_of_other_ci_systems_is_in_the_extract(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(logs, capsys, "--index", "aux.json", "--budgets", "1000,2000")
    assert found["1000"]["any"] >= 90
    assert found["2000"]["any"] >= 95
    assert found["2000"]["most tokens"] <= 2000


def test_the_fast_path_finds_as_much_when_it_may_look_closely_at_little(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """150 kB of windows: the largest of these logs has 36 MB."""
    found = figures(logs, capsys, "--index", "aux.json", "--budgets", "2000", "--closely", "400000")
    assert found["2000"]["any"] >= 90


def each(logs: Path, most: int) -> list[Case]:
    """At most so many logs of each repository: they are near-copies of each other."""
    seen: Counter[str] = Counter()
    kept = []
    for case in read_cases(logs, ["logchunks.json"])["logchunks.json"]:
        seen[case.group] += 1
        if seen[case.group] <= most and case.headline:
            kept.append(case)
    return kept


def test_causes_cite_what_people_marked(logs: Path) -> None:
    cases = each(logs, 1)
    cited = [
        {evidence.number for cause in report(analyse([(case.id, case.log)])).causes for evidence in cause.evidence}
        for case in cases
    ]
    assert len(cases) >= 40
    assert sum(bool(numbers & case.gold) for numbers, case in zip(cited, cases, strict=True)) / len(cases) >= 0.75


def test_what_passed_before_a_failure_has_no_cause(logs: Path) -> None:
    """The parts of failed logs up to the last command that succeeded, before anything failed."""
    green, wrong = 0, []
    for case in each(logs, 6):
        with_verdict = passing_part(case)
        if with_verdict:
            green += 1
            if analyse([(case.id, with_verdict)]).suspicions:
                wrong.append(case.id)
    assert green >= 30
    assert len(wrong) / green <= 0.02, wrong


def passing_part(case: Case) -> bytes:
    import gzip

    rows = gzip.decompress(case.log.read_bytes()).split(b"\n")[: min(case.gold) - 1]
    succeeded = [row for row, line in enumerate(rows) if re.match(rb"The command .* exited with 0\.", line)]
    kept = rows[: succeeded[-1] + 1] if succeeded else []
    return b"" if any(re.search(rb"exited with [1-9]|failed and exited", line) for line in kept) else b"\n".join(kept)


def test_nearly_every_line_that_a_parser_of_49_tools_takes_is_seen_as_one_that_speaks(logs: Path) -> None:
    """errorformat: raw output beside what its parsers took out of it."""
    taken, seen, unseen = 0, 0, []
    for parsed in sorted((logs / "errorformat").rglob("*.ok")):
        raw = parsed.with_suffix(".in").read_bytes()
        held = table(raw, [Window(0, len(raw), 1)], 1)
        groups = looks(held).groups
        for entry in filter(None, parsed.read_text(errors="replace").splitlines()):
            message = re.sub(r"^[^|]*\|[^|]*\| ?", "", entry).strip()
            rows = [row for row, line in enumerate(held.bare) if message[:30] and message[:30].encode() in line]
            if rows:
                taken += 1
                loud = any(groups[row, sorted(SPEAKING)].any() for row in rows)
                seen += loud
                if not loud:
                    unseen.append(f"{parsed.name}: {entry}")
    assert taken > 150
    assert seen / taken >= 0.85, unseen


def test_incidents_have_the_line_that_names_the_cause_in_their_extract(shipmate_data: Path) -> None:
    folder = shipmate_data / "incidents"
    index = json.loads((folder / "index.json").read_text())
    wanted, found, missing = 0, 0, []
    for case in index["cases"]:
        for needle in case.get("evidence_needles") or []:
            for name in (needle.get("tool_files_with_hit") or []) if case["suite"] == "evidence" else []:
                if (folder / case["id"] / name).is_file():
                    wanted += 1
                    shown = analyse([(name, folder / case["id"] / name)]).extract.lines
                    hit = any(re.search(needle["regex"], line.text) for line in shown)
                    found += hit
                    missing += [] if hit else [f"{case['id']}/{name}"]
    assert wanted >= 50
    assert found / wanted >= 0.95, missing


def test_haystacks_give_up_their_needle(shipmate_data: Path) -> None:
    folder = shipmate_data / "incidents"
    cases = json.loads((folder / "index.json").read_text())["generated_cases"]
    for case in cases:
        shown = analyse([(case["id"], folder / case["log_file"])], Options(budget_tokens=2_000)).extract.lines
        for needle in case["evidence_needles"]:
            assert any(re.search(needle["regex"], line.text) for line in shown), f"{case['id']}: {needle['names']}"


def test_where_nothing_is_wrong_nothing_is_found(shipmate_data: Path) -> None:
    folder = shipmate_data / "incidents"
    wrong = []
    for case in json.loads((folder / "index.json").read_text())["cases"]:
        for output in case["tool_outputs"] if case["suite"] == "negative" else []:
            file = folder / case["id"] / output["file"]
            if file.is_file() and analyse([(file.name, file)]).suspicions:
                wrong.append(f"{case['id']}/{file.name}")
    assert len(wrong) <= 1, wrong


def test_cues_have_names_of_their_own() -> None:
    assert len({cue.name for cue in CUES}) == len(CUES)
