"""The whole way with the real programs: a metric of the bot, a rule on it, Alertmanager, and the look that follows."""

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from drifting import SOON, shifted
from free_ports import free_port
from pydantic import SecretStr

MONITORING = Path(__file__).resolve().parents[2] / "manifests" / "monitoring"
SECRET = "what-alertmanager-knows"
FIRED = 60


def program(name):
    path = shutil.which(name)
    if path is None:
        missing = f"{name} is not installed, so the way from a rule to a look cannot be tried"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def quick_rules():
    """The rules as they are, without their patience."""
    document = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    return document


def quick_routes(port):
    document = yaml.safe_load((MONITORING / "alertmanager.yaml").read_text())
    for route in document["route"]["routes"]:
        route |= {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "2s"}
    [receiver] = [one for one in document["receivers"] if one["name"] == "shipmate"]
    [webhook] = receiver["webhook_configs"]
    webhook["url"] = f"http://127.0.0.1:{port}/webhooks/alertmanager"
    webhook["http_config"]["authorization"]["credentials_file"] = "token"
    return document


@pytest.fixture
def monitored(watched_ship, tmp_path):
    """The bot, watched by Prometheus and told by Alertmanager; by itself it does not look."""
    paths = [program("prometheus-alertmanager"), program("prometheus")]
    watched_ship.rewrite(
        ("target: diagnosis\n", "target: diagnosis\n    drift: {every: never}\n"), alertmanager_secret=SecretStr(SECRET)
    )
    port = watched_ship.ship.bot.server.port
    folder = tmp_path / "monitoring"
    folder.mkdir()
    alertmanager, prometheus = free_port(), free_port()
    (folder / "token").write_text(SECRET)
    (folder / "rules.yaml").write_text(yaml.safe_dump(quick_rules()))
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(quick_routes(port)))
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "shipmate", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
    }  # fmt: skip
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))
    commands = [
        [
            paths[0], "--config.file=alertmanager.yaml", "--storage.path=am", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
        ],
        [
            paths[1], "--config.file=prometheus.yaml", "--storage.tsdb.path=tsdb", "--rules.alert.resend-delay=1s",
            f"--web.listen-address=127.0.0.1:{prometheus}",
        ],
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        running = [subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) for command in commands]
        yield watched_ship
        for process in reversed(running):
            process.terminate()
            process.wait(120)


def metrics(watched):
    text = httpx.get(f"http://127.0.0.1:{watched.ship.bot.server.port}/metrics", trust_env=False).text
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_a_rule_on_a_metric_of_the_bot_fires_and_the_model_is_looked_at(monitored):
    monitored.clock.time += timedelta(hours=10)
    for ago in range(10, 80, 3):
        monitored.serve(monitored.clock.time - timedelta(hours=ago), shifted(1.6))
    assert monitored.messages() == []
    monitored.ship.bot.intake.tell_ages()
    card = monitored.message("Data drift", FIRED)
    assert "tumour: Data drift, P0" in card.plain
    [episode] = monitored.episodes()
    assert episode.history[0].text == "Noticed by Alertmanager (NoInferenceRecords: no inference records come in)."
    repeat = 'shipmate_alertmanager_notifications_total{kind="repeat"}'
    monitored.space.wait_until(lambda: float(metrics(monitored).get(repeat, 0)) >= 1, SOON)
    seen = metrics(monitored)
    assert seen['shipmate_drift_urgency{model="tumour"}'] == "3.0"
    assert float(seen['shipmate_drift_psi_max{model="tumour"}']) > 0.2
    assert float(seen['shipmate_drift_drifted_share{model="tumour"}']) > 0
    assert float(seen['shipmate_drift_last_window_age_seconds{model="tumour"}']) > 6 * 3600
    assert len(monitored.messages()) == 1
