"""`shipmate triage --log FILE`: for scripts, without Slack, a network or a language model."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import main

LOG = (
    b"step one\nERROR: No matching distribution found for torch==2.9.9\n##[error]Process completed with exit code 1.\n"
)


def test_json_is_one_object_a_line_in_the_order_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, packed = tmp_path / "a.log", tmp_path / "b.log.gz"
    plain.write_bytes(b"all fine\n3 passed in 0.1s\n")
    packed.write_bytes(gzip.compress(LOG))
    assert main(["triage", "--log", str(packed), "--log", str(plain), "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["file"], second["file"]) == (str(packed), str(plain))
    assert first["kind"] == "dependency"
    assert first["causes"][0]["lines"] == [2]
    assert 0 < first["causes"][0]["confidence"] <= 1
    assert first["fix"]
    assert first["extract"]["lines"][1] == {"number": 2, "text": LOG.decode().split("\n")[1]}
    assert 0 < first["extract"]["tokens"] <= 2_000
    assert first["seconds"] >= 0
    assert (second["causes"], second["fix"]) == ([], [])


def test_a_file_that_cannot_be_read_is_told_of_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.log"
    good.write_bytes(LOG)
    assert (
        main(["triage", "--log", str(tmp_path / "no.log"), "--log", str(tmp_path), "--log", str(good), "--json"]) == 1
    )
    told = capsys.readouterr()
    gone, folder, read = (json.loads(line) for line in told.out.splitlines())
    assert gone["error"].endswith("Name a log file.")
    assert (folder["file"], read["file"]) == (str(tmp_path), str(good))
    assert "causes" in read
    assert "no.log cannot be read: No such file or directory" in told.err
    assert "Is a directory" in told.err


def test_a_secret_is_not_printed_and_the_numbers_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "leak.log"
    key = "AKIA" + "Z7QF3XW2LKMNOPQR"
    log.write_text(f"one\nerror: AccessDenied for aws_access_key_id={key}\nfatal: exit code 1\n")
    for asked in (["--json"], []):
        main(["triage", "--log", str(log), *asked])
        printed = capsys.readouterr().out
        assert key not in printed
        assert "secret" in printed
        assert "2|error: AccessDenied" in printed or '"number": 2' in printed


def test_the_page_for_people_names_the_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(LOG)
    main(["triage", "--log", str(log), "--kind", "ci", "--budget", "500"])
    printed = capsys.readouterr().out
    assert "ROOT_CAUSE: pip finds no version of torch==2.9.9" in printed
    assert "LINES:" in printed


@pytest.mark.parametrize("budget", ["0", "-5", "many", "1e9", "²"])
def test_a_budget_that_is_none_is_refused(budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["triage", "--log", "x", "--budget", budget])
    assert stopped.value.code == 2
    assert "a number of tokens" in capsys.readouterr().err


def test_it_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(LOG)
    program = (
        "import sys; from bot.__main__ import main; main(['triage', '--log', sys.argv[1], '--json']);"
        "heavy = {'mlflow', 'slack_bolt', 'pandas', 'sklearn', 'scipy', 'dbos', 'kubernetes', 'openai'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program, str(log)], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"
