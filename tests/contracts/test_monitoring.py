"""Rules, routes and dashboards under manifests/monitoring, read by the programs that they are for."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.telemetry import Telemetry
from pipelines.drift.alert_rules import usual_kind

MONITORING = Path(__file__).resolve().parents[2] / "manifests" / "monitoring"
METRIC = re.compile(r"\b(?:shipmate|process)_[a-z_]+\b")
SUFFIXES = ("_total", "_bucket", "_count", "_sum")


def program(name: str) -> str:
    """Where it is; without it the test is skipped, but never in CI."""
    path = shutil.which(name)
    if path is None:
        missing = f"{name} is not installed, so what it reads cannot be checked"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def run(name: str, *arguments: str) -> str:
    command = [program(name), *arguments]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, cwd=MONITORING, timeout=240)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def rules() -> list[dict[str, str]]:
    document = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    run("promtool", "check", "rules", "rules.yaml")
    run("promtool", "check", "config", "prometheus.yaml")
    run("promtool", "test", "rules", "rules.test.yaml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("model=churn", "alertname=ModelAccuracyLow"), "shipmate"), (("inferenceservice=churn",), "shipmate"),
        (("alertname=Watchdog",), "nobody"), (("component=bot", "alertname=ShipmateDown"), "nobody"),
    ],
)  # fmt: skip
def test_alertmanager_takes_the_routes_and_alerts_of_models_reach_the_bot(labels, receiver) -> None:
    run("amtool", "check-config", "alertmanager.yaml")
    found = run("amtool", "config", "routes", "test", "--config.file=alertmanager.yaml", *labels)
    assert found.strip() == receiver


def test_every_alert_on_a_model_is_one_that_the_bot_understands() -> None:
    of_models = [rule["alert"] for rule in rules() if rule.get("labels", {}).get("component") == "model"]
    assert len(of_models) == 6
    assert [name for name in of_models if usual_kind(name) is None] == []


def exposed() -> set[str]:
    names = re.findall(r"^# TYPE (\S+) ", Telemetry().exposition().decode(), flags=re.MULTILINE)
    return set(names)


def unknown(text: str) -> set[str]:
    known = exposed() | {"model"}
    recorded = {rule["record"].split(":")[1] for rule in rules() if "record" in rule}
    used = set(METRIC.findall(text)) - recorded
    return {name for name in used if name not in known and not any(name.removesuffix(end) in known for end in SUFFIXES)}


@pytest.mark.parametrize("name", ["models", "bot"])
def test_every_metric_of_a_dashboard_is_one_that_the_bot_exposes(name) -> None:
    dashboard = json.loads((MONITORING / "grafana" / f"{name}.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) >= 10
    assert unknown("\n".join(expressions)) == set()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    spots = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]}
    assert len(spots) == len(dashboard["panels"])


def test_every_metric_of_a_rule_is_one_that_the_bot_exposes() -> None:
    assert unknown("\n".join(rule["expr"] for rule in rules())) == set()
    assert unknown("shipmate_no_such_thing_total") == {"shipmate_no_such_thing_total"}


def test_every_expression_of_a_dashboard_is_one_that_prometheus_reads(tmp_path) -> None:
    checked = []
    for file in sorted((MONITORING / "grafana").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$model", ".*")
                checked.append({"record": f"check:{len(checked)}".replace(":", ":n"), "expr": expression})
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": checked}]}))
    run("promtool", "check", "rules", str(tmp_path / "rules.yaml"))
