"""Lines that grew when secrets were taken out of them."""

import pytest

from bot.redaction import Redactor
from pipelines.evidence.analysing import analyse
from pipelines.evidence.reading import Options
from pipelines.evidence.tokens import count_tokens
from pipelines.triage.examining import redacted


@pytest.mark.parametrize("budget", [100, 500, 2_000])
def test_secrets_that_were_taken_out_leave_the_extract_within_its_budget(budget: int) -> None:
    names = [f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmnop" for c in "qrstu"]
    log = "".join(f"ERROR login step {name * 3} failed password=q{number}Z\n" for number, name in enumerate(names))
    found = redacted(analyse([("log", log.encode())], Options(budget)), Redactor().redact_lines, budget)
    assert count_tokens(found.extract.text) == found.extract.tokens <= budget
    assert found.extract.tokens > min(0.8 * budget, budget - 25)  # a line has some 24 tokens
    cited = {number for _, one in found.suspicions for number in one.rows}
    assert cited <= {line.number for line in found.extract.lines}
