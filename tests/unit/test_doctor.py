import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue import DEMO_CATALOGUE
from bot.config import Settings
from bot.doctor import Check, Finding, examine, report, run_checks
from bot.doctor.ground import data_check, database_check, disk_check, packages_check, storage_check
from bot.manifest import needed_scopes
from pipelines.retrain.values import GateRule, ModelSpec

CHANNELS = ("ml", "ops", "incidents", "ci")


def found(findings: Any) -> list[tuple[str, str]]:
    return [(finding.check, finding.level) for finding in findings]


def members(names: tuple[str, ...] = CHANNELS) -> list[dict[str, Any]]:
    return [{"id": f"C0{name.upper()}", "name": name, "is_member": True} for name in names]


@pytest.fixture
def settings(tmp_path: Path, slack_wire: Any) -> Settings:
    slack_wire.headers = {"x-oauth-scopes": ",".join(needed_scopes())}
    slack_wire.answers = {
        "auth.test": {"user": "shipmate", "team": "Shipyard", "team_id": "T0"},
        "apps.connections.open": {"url": "wss://x"},
        "conversations.list": {"channels": members()},
        "users.lookupByEmail": {"user": {"id": "U0"}},
    }
    data = tmp_path / "data"
    data.mkdir()
    (data / "churn.csv").write_text("a,churned\n1,yes\n")
    (data / "loan-default.csv").write_text("income,defaulted\n1,no\n")
    (data / "tumour.csv").write_text('"a",diagnosis\n1,benign\n')
    (data / "diabetes-progression.csv").write_bytes("\ufeffage,progression\r\n1,2\r\n".encode())
    return Settings(
        data_dir=tmp_path, catalogue_path=DEMO_CATALOGUE, slack_api_url=slack_wire.api_url,
        slack_bot_token="xoxb-test", slack_app_token="xapp-test", mlflow_tracking_uri=f"sqlite:///{tmp_path}/m.sqlite",
    )  # fmt: skip


def test_a_healthy_installation_has_only_good_lines(settings: Settings) -> None:
    findings = examine(settings)
    assert {finding.level for finding in findings} <= {"ok", "warning"}
    assert {finding.check for finding in findings} >= {
        "settings", "catalogue", "database", "durable work", "disk", "storage", "mlflow", "slack token",
        "slack scopes", "slack socket", "slack channels", "slack people", "training", "data of churn",
    }  # fmt: skip


def test_the_doctor_leaves_nothing_behind(settings: Settings) -> None:
    examine(settings)
    left = [path for path in settings.data_dir.rglob("*") if "doctor" in path.name]
    assert left == []
    import sqlite3

    with sqlite3.connect(settings.data_dir / "shipmate.sqlite") as database:
        assert database.execute("select count(*) from sqlite_master").fetchone() == (0,)
    database.close()


def test_each_slack_problem_is_told_with_what_to_do(settings: Settings, slack_wire: Any) -> None:
    slack_wire.headers = {"x-oauth-scopes": "chat:write,commands"}
    slack_wire.answers["apps.connections.open"] = {"error": "invalid_auth"}
    slack_wire.answers["users.lookupByEmail"] = {"error": "users_not_found"}
    channels = members(("ml", "ops", "ci"))
    channels[1]["is_member"], channels[2]["is_archived"] = False, True
    slack_wire.answers["conversations.list"] = {"channels": channels}
    text = report(examine(settings))
    for part in (
        "missing: app_mentions:read", "reinstall the app", "Slack says invalid_auth", "app-level token",
        "the bot is not in #ops -> In #ops type: /invite @shipmate", "#ci is archived", "#incidents does not exist",
        "not found: Ana Lima: users_not_found",
    ):  # fmt: skip
        assert part in text


def test_a_slack_that_is_down_does_not_stop_the_other_checks(settings: Settings, slack_wire: Any) -> None:
    slack_wire.close()
    findings = dict(found(examine(settings)))
    assert findings["slack token"] == findings["slack channels"] == "problem"
    assert findings["database"] == findings["data of churn"] == "ok"


def test_channels_are_read_page_by_page(settings: Settings, slack_wire: Any) -> None:
    def page(sent: dict[str, str]) -> dict[str, Any]:
        if sent.get("cursor"):
            return {"channels": members(CHANNELS[2:])}
        return {"channels": members(CHANNELS[:2]), "response_metadata": {"next_cursor": "more"}}

    slack_wire.answers["conversations.list"] = page
    assert found(examine(settings)).count(("slack channels", "ok")) == 4


def test_mistakes_of_the_catalogue_are_findings(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "shipmate.yaml"
    path.write_text(DEMO_CATALOGUE.read_text().replace("metric: f1", "metrik: f1"))
    text = report(examine(settings.model_copy(update={"catalogue_path": path})))
    assert "gate.metrik is not known" in text
    assert "data of churn" not in text


def test_a_check_that_hangs_is_told_and_the_rest_is_shown() -> None:
    never = threading.Event()

    def hang() -> Iterator[Finding]:
        never.wait(60)
        yield Finding("slow", "ok", "late")

    findings = run_checks([Check("slow", hang), Check("fast", lambda: [Finding("fast", "ok", "here")])], seconds=1.5)
    never.set()
    assert found(findings) == [("slow", "problem"), ("fast", "ok")]
    assert "no answer in time" in findings[0].text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_check_that_breaks_is_told_as_a_fault_of_ours() -> None:
    def break_down() -> Iterator[Finding]:
        raise ZeroDivisionError
        yield

    findings = run_checks([Check("broken", break_down), Check("whole", lambda: [Finding("whole", "ok", "here")])])
    assert found(findings) == [("broken", "problem"), ("whole", "ok")]
    assert "ZeroDivisionError" in findings[0].text


def test_the_report_is_one_line_each_or_json() -> None:
    findings = [Finding("disk", "ok", "plenty"), Finding("slack token", "problem", "none", "Set it.")]
    assert report(findings).splitlines() == ["ok       disk         plenty", "problem  slack token  none -> Set it."]
    assert json.loads(report(findings, as_json=True))["healthy"] is False
    assert json.loads(report(findings[:1], as_json=True))["findings"][0]["check"] == "disk"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////proc/nothing/x.sqlite", "not writable"),
        ("nonsense", "cannot be read"),
        ("oracle+nodriver://me:secret@h/x", ""),
        ("postgresql://me:secret@127.0.0.1:9/x", "not writable"),
    ],
)
def test_a_database_that_cannot_be_written_is_told_without_its_password(url: str, says: str) -> None:
    (finding,) = database_check("database", url, "SHIPMATE_DATABASE_URL")
    assert finding.level == "problem"
    assert says in finding.text
    assert "secret" not in finding.text


def spec(data: str) -> ModelSpec:
    return ModelSpec("churn", "classification", data, "churned", "Ana", "#ml", GateRule("roc_auc"))


@pytest.mark.parametrize(
    ("content", "level", "says"),
    [
        (b"a,churned\n1,2\n", "ok", "2 columns"),
        (b"PAR1....", "ok", "Parquet"),
        (b"", "problem", "is empty"),
        (b"a,churn\n1,2\n", "problem", "has no column churned; it has a, churn"),
        (b"\xff\xfe\x00\x01", "problem", "has no column"),
        (None, "problem", "No such file"),
    ],
)
def test_the_data_of_a_model_is_looked_into(content: bytes | None, level: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "churn.csv"
    if content is not None:
        path.write_bytes(content)
    (finding,) = data_check(spec(str(path)))
    assert finding.level == level
    assert says in finding.text


def test_compressed_data_is_read_and_a_broken_archive_is_told(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "churn.csv.gz"
    path.write_bytes(gzip.compress(b"a,churned\n1,2\n"))
    assert [finding.level for finding in data_check(spec(str(path)))] == ["ok"]
    path.write_bytes(b"no gzip")
    assert [finding.level for finding in data_check(spec(str(path)))] == ["problem"]


def test_storage_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "storage").write_text("a file")
    (finding,) = storage_check(Settings(data_dir=tmp_path))
    assert (finding.level, "SHIPMATE_STORAGE_URL" in finding.advice) == ("problem", True)


def test_a_python_that_does_not_run_is_told(tmp_path: Path) -> None:
    (finding,) = packages_check(Settings(data_dir=tmp_path, trainer_python=str(tmp_path / "python")))
    assert (finding.level, "SHIPMATE_TRAINER_PYTHON" in finding.advice) == ("problem", True)


@pytest.mark.parametrize(("free", "level"), [(10**8, "problem"), (10**9, "warning"), (10**11, "ok")])
def test_little_disk_space_is_told_in_time(
    free: int, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")(10**12, 0, free)
    monkeypatch.setattr("bot.doctor.ground.shutil.disk_usage", lambda _: usage)
    assert [finding.level for finding in disk_check(Settings(data_dir=tmp_path / "not/there/yet"))] == [level]
