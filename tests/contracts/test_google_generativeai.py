"""google-generativeai under the same contract as the others, in the environment of its own that it needs."""

import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-google-generativeai" / "bin" / "python"
CONTRACT = Path(__file__).with_name("test_language_models.py")
FEWEST_CASES = 35


@pytest.mark.timeout(1200)
def test_google_generativeai_keeps_the_contract_of_language_models(tmp_path: Path) -> None:
    if not PYTHON.exists():
        missing = "there is no .venv-google-generativeai (make test makes it), so its provider cannot be tried"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    report = tmp_path / "report.xml"
    # Warnings are errors there too, which is how we know that the package's own are kept from people.
    command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(CONTRACT)]
    environment = os.environ | {"SHIPMATE_CONTRACT_PROVIDERS": "google-generativeai", "PYTHONPATH": str(ROOT)}
    outcome = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None, outcome.stdout + outcome.stderr
    ran, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    if skipped == ran and not os.environ.get("CI"):
        pytest.skip("nobody answers for the language models: see the reasons of test_language_models.py")
    assert outcome.returncode == 0, outcome.stdout[-8000:] + outcome.stderr[-2000:]
    assert (ran >= FEWEST_CASES, skipped) == (True, 0)
    assert "FutureWarning" not in outcome.stdout + outcome.stderr
