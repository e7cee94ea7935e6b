"""What scanners print, as values: rule, severity, package or place, and never the secret."""

import json

import pytest

from pipelines.evidence.analysing import analyse
from pipelines.evidence.context import Context, SourceFile
from pipelines.evidence.reporting import report
from pipelines.evidence.scanners import MOST_FINDINGS, scanner_findings
from pipelines.evidence.values import Finding
from pipelines.evidence.weighing import weighed

SECRET = "65b708073fc0480ea9" + "2a077233ca87bd"


def found(text: str) -> list[Finding]:
    lines = text.encode().split(b"\n")
    return list(scanner_findings(lines, range(1, len(lines) + 1)))


BANDIT = """>> Issue: [B602:subprocess_popen_with_shell_equals_true] subprocess call with shell=True identified, security issue.
   Severity: High   Confidence: High
   CWE: CWE-78 (https://cwe.mitre.org/data/definitions/78.html)
   Location: ./churn/cache.py:15:8
14          CACHE.mkdir(exist_ok=True)
15          subprocess.run(f"curl -s {url} -o {place}", shell=True, check=True)
--------------------------------------------------
>> Issue: [B101:assert_used] Use of assert detected.
   Severity: Low   Confidence: High
   Location: churn/model.py:9
"""
TRIVY = """
\u2502   Library   \u2502 Vulnerability  \u2502 Severity \u2502  Status  \u2502 Installed Version \u2502  Fixed Version  \u2502           Title            \u2502
\u251c\u2500\u2500\u2500\u253c\u2500\u2500\u2500\u2524
\u2502 libexpat1   \u2502 CVE-2024-45491 \u2502 CRITICAL \u2502 fixed    \u2502 2.5.0-1           \u2502 2.5.0-1+deb12u1 \u2502 libexpat: Integer Overflow \u2502
\u2502             \u2502                \u2502          \u2502          \u2502                   \u2502                 \u2502 or Wraparound              \u2502
\u2502             \u2502                \u2502          \u2502          \u2502                   \u2502                 \u2502 https://avd.aquasec.com/x  \u2502
\u2502             \u2502 CVE-2024-45492 \u2502          \u2502          \u2502                   \u2502                 \u2502 libexpat: overflow         \u2502
\u2502 zlib1g      \u2502 CVE-2023-45853 \u2502 HIGH     \u2502 affected \u2502 1:1.2.13          \u2502                 \u2502 zlib: overflow             \u2502
"""
OLD_TRIVY = """
+----------+------------------+----------+-------------------+---------------+-------+
| LIBRARY  | VULNERABILITY ID | SEVERITY | INSTALLED VERSION | FIXED VERSION | TITLE |
+----------+------------------+----------+-------------------+---------------+-------+
| busybox  | CVE-2021-28831   | HIGH     | 1.32.1-r2         | 1.32.1-r4     | free  |
"""
AUDIT = """Found 2 known vulnerabilities in 2 packages
Name  Version ID                  Fix Versions
----- ------- ------------------- ------------
flask 0.5     PYSEC-2018-66       0.12.3
pip   25.2    GHSA-4xh5-x5gv-qwph
"""
GRYPE = """NAME        INSTALLED  FIXED-IN  TYPE  VULNERABILITY   SEVERITY
libcrypto3  3.0.7-r0   3.0.8-r0  apk   CVE-2022-4203   Medium
zlib        1.2                  apk   CVE-2022-37434  Critical
"""
SNYK = """Issues to fix by upgrading dependencies:
  Pin anyio@4.3.0 to anyio@4.4.0 to fix
  \u2717 Race Condition [High Severity][https://security.snyk.io/vuln/SNYK-PYTHON-ANYIO-7361842] in anyio@4.3.0
\u2717 Medium severity vulnerability found in lodash
  Description: Prototype Pollution
  Info: https://snyk.io/vuln/SNYK-JS-LODASH-450202
"""
GITLEAKS = f"""Finding:     client_id = "{SECRET}"
Secret:      {SECRET}
RuleID:      generic-api-key
File:        app/settings.toml
Line:        2
"""
DETECT = """ERROR: Potential secrets about to be committed to git repo!
Secret Type: AWS Access Key
Location:    churn/settings.py:66
"""


def test_bandit() -> None:
    shell, check = found(BANDIT)
    assert (shell.rule, shell.severity, shell.path, shell.line, shell.number) == (
        "B602",
        "high",
        "churn/cache.py",
        15,
        1,
    )
    assert (check.rule, check.severity, check.path, check.line) == ("B101", "low", "churn/model.py", 9)


def test_trivys_cells_that_are_drawn_empty_are_those_above_and_titles_run_on() -> None:
    first, second, third = found(TRIVY)
    assert first.text == "libexpat: Integer Overflow or Wraparound"
    assert (second.package, second.severity, second.version, second.fixed) == (
        "libexpat1", "critical", "2.5.0-1", "2.5.0-1+deb12u1",
    )  # fmt: skip
    assert (third.package, third.severity, third.fixed) == ("zlib1g", "high", "")


def test_tables_of_older_trivy_of_pip_audit_and_of_grype() -> None:
    (busybox,) = found(OLD_TRIVY)
    assert (busybox.tool, busybox.package, busybox.fixed) == ("trivy", "busybox", "1.32.1-r4")
    assert [(one.package, one.version, one.rule, one.fixed) for one in found(AUDIT)] == [
        ("flask", "0.5", "PYSEC-2018-66", "0.12.3"), ("pip", "25.2", "GHSA-4xh5-x5gv-qwph", ""),
    ]  # fmt: skip
    assert [(one.package, one.severity, one.fixed) for one in found(GRYPE)] == [
        ("zlib", "critical", ""), ("libcrypto3", "medium", "3.0.8-r0"),
    ]  # fmt: skip


def test_snyk_old_and_new() -> None:
    race, pollution = found(SNYK)
    assert (race.rule, race.package, race.version, race.fixed) == (
        "SNYK-PYTHON-ANYIO-7361842",
        "anyio",
        "4.3.0",
        "4.4.0",
    )
    assert (pollution.rule, pollution.package, pollution.text) == (
        "SNYK-JS-LODASH-450202",
        "lodash",
        "Prototype Pollution",
    )


def test_what_looks_for_secrets_tells_the_place_and_not_the_secret() -> None:
    leak, key = found(GITLEAKS + DETECT)
    assert (leak.rule, leak.path, leak.line) == ("generic-api-key", "app/settings.toml", 2)
    assert (key.rule, key.path, key.line) == ("AWS Access Key", "churn/settings.py", 66)
    assert SECRET not in repr([leak, key])


JSON = [
    ({"results": [{"test_id": "B301", "issue_severity": "MEDIUM", "issue_text": "Pickle", "filename": "./a.py", "line_number": 16}]},
     ("bandit", "B301", "medium", "a.py", 16, "")),
    ({"Results": [{"Target": "x", "Vulnerabilities": [{"VulnerabilityID": "CVE-2020-1", "PkgName": "b", "Severity": "HIGH", "FixedVersion": "2"}]}]},
     ("trivy", "CVE-2020-1", "high", "", 0, "2")),
    ({"dependencies": [{"name": "flask", "version": "0.5", "vulns": [{"id": "PYSEC-2018-66", "fix_versions": ["0.12.3"]}]}]},
     ("pip-audit", "PYSEC-2018-66", "unknown", "", 0, "0.12.3")),
    ({"vulnerabilities": [{"id": "SNYK-1", "packageName": "lodash", "version": "1", "severity": "low", "title": "t", "fixedIn": ["2"]}]},
     ("snyk", "SNYK-1", "low", "", 0, "2")),
    ([{"RuleID": "aws", "File": "a.env", "StartLine": 3, "Secret": SECRET, "Match": SECRET, "Description": "AWS key"}],
     ("gitleaks", "aws", "high", "a.env", 3, "")),
    ({"results": {"a.py": [{"type": "Secret Keyword", "hashed_secret": "1f", "line_number": 4}]}},
     ("detect-secrets", "Secret Keyword", "high", "a.py", 4, "")),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), JSON, ids=[expected[0] for _, expected in JSON])
@pytest.mark.parametrize("indent", [None, 2])
def test_json_of_each_scanner_in_the_middle_of_a_log(
    value: object, expected: tuple[object, ...], indent: int | None
) -> None:
    (one,) = found(f"scanning {{ not json\n{json.dumps(value, indent=indent)}\nexit status 1")
    assert (one.tool, one.rule, one.severity, one.path, one.line, one.fixed) == expected
    assert one.number == (2 if indent is None else one.number)
    assert SECRET not in repr(one)


HOSTILE = [
    "", "Issue: [B", "RuleID:", "Secret Type: x", '{"test_id"', '{"results": "test_id"}', '{"Results": [[{"VulnerabilityID": 1}]]}',
    '"VulnerabilityID"' + "[" * 50_000, "| name | version | id |\n| CVE-1 |", "\u2717 [" * 2_000, "CVE-2024-1 " * 5_000,
    '{"dependencies": [{"vulns": [{"id": null, "fix_versions": 7}]}]}', ">> Issue: [B999:x] \u202etxt\n" * 3,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_only_looks_like_a_scanners_output_breaks_nothing(text: str) -> None:
    assert all(one.rule or one.package for one in found(text))


def test_many_findings_are_bounded_and_the_worst_come_first() -> None:
    many = "\n".join(
        f">> Issue: [B{100 + number % 400}:x] text\n   Severity: {'High' if number == 150 else 'Low'}\n   Location: a{number}.py:1"
        for number in range(1_000)
    )
    listed = found(many)
    assert len(listed) == MOST_FINDINGS
    assert listed[0].severity == "high"


def test_findings_are_weighed_without_a_model_with_the_code_beside_them() -> None:
    file = SourceFile("churn/cache.py", "3f2a1b0", tuple(f"line {number}" for number in range(1, 30)))
    shell, check = weighed(found(BANDIT), Context(files=(file,)))
    assert "training job" in shell.risk
    assert "shell=True" in shell.fix
    assert [(line.number, line.text, line.note) for line in shell.beside] == [
        (14, "line 14", "at 3f2a1b0"), (15, "line 15", "at 3f2a1b0"), (16, "line 16", "at 3f2a1b0"),
    ]  # fmt: skip
    assert check.doubt == "In tests an assert is what it should be."
    assert [one.fix for one in weighed(found(AUDIT), Context())] == [
        "Upgrade flask from 0.5 to 0.12.3.",
        "No repaired version of pip is named: replace it, or note the risk with an expiry.",
    ]


def test_the_report_of_a_failed_scan_lists_them_and_that_of_a_run_that_went_well_does_not() -> None:
    failed = report(
        analyse([("log", f"##[group]Run bandit -r .\n{BANDIT}\n##[error]Process completed with exit code 1.".encode())])
    )
    assert failed.kind == "sast"
    assert [one.finding.rule for one in failed.findings] == ["B602", "B101"]
    passed = report(analyse([("log", b"No issues identified.\nAll checks passed\n")]))
    assert (passed.wrong, passed.findings) == (False, ())
