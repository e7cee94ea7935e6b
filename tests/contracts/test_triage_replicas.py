"""Two bots over one database hear of the same failures at once, and say everything once: real processes."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.app import registered_manifest
from bot.catalogue import DEMO_CATALOGUE
from bot.clients.mlflow import MlflowRegistry
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

REPLICA = Path(__file__).with_name("digest_replica.py")
NAME, SOON = "ours/churn", 120
RED = """##[group]Run python -m pytest -q
python -m pytest -q
##[endgroup]
=========================== short test summary info ============================
FAILED tests/test_train.py::test_score - assert 0.71 == 0.82
1 failed, 1 passed in 1.42s
##[error]Process completed with exit code 1."""
CI = {"channel": "ci", "repositories": {"ours/*": {"branches": ["*"]}}}


@pytest.fixture
def github():
    made = GithubSandbox(NAME, "a-token", [Workflow("ci.yml", name="ci")])
    made.start()
    yield made
    made.stop()


@pytest.fixture
def slack(tmp_path):
    made = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ports(tmp_path, database_url, github, slack):
    """The ports of two replicas."""
    yaml = YAML(typ="safe")
    with (tmp_path / "shipmate.yaml").open("w") as file:
        yaml.dump(yaml.load(DEMO_CATALOGUE.read_text()) | {"ci": CI}, file)
    MlflowRegistry(f"sqlite:///{tmp_path / 'mlflow.sqlite'}", "", "").warm()
    (tmp_path / "clock").write_text(datetime.now(UTC).isoformat())
    running = [started(tmp_path, name, database_url, github, slack) for name in ("one", "two")]
    yield [port_of(process, tmp_path) for process in running]
    for process in running:
        process.terminate()
    for process in running:
        process.wait(60)
        process.stdout.close()


def started(folder, name, database_url, github, slack):
    settings = {
        "slack_bot_token": slack.bot_token, "slack_app_token": slack.app_token, "slack_api_url": slack.api_url,
        "catalogue_path": str(folder / "shipmate.yaml"), "executor_id": name, "data_dir": str(folder / name),
        "mlflow_tracking_uri": f"sqlite:///{folder / 'mlflow.sqlite'}", "database_url": database_url,
        "github_api_url": github.url, "github_token": "a-token", "github_webhook_secret": "a-secret",
    }  # fmt: skip
    if database_url.startswith("sqlite"):
        settings["durable_database_url"] = f"sqlite:///{folder / 'durable.sqlite'}"
    (folder / name).mkdir()
    asked = json.dumps({"clock": str(folder / "clock"), "settings": settings})
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen([sys.executable, str(REPLICA), asked], stdout=subprocess.PIPE, stderr=log, text=True)


def port_of(process, folder):
    port = 0
    while (said := process.stdout.readline()) != "started\n":
        assert said, "\n".join(path.read_text()[-3000:] for path in folder.glob("*.log"))
        port = int(said.split()[1]) if said.startswith("port ") else port
    return port


def until(look, seconds=SOON):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_two_bots_that_hear_of_three_failures_make_one_message_and_one_issue(ports, github, slack):
    for port in ports:
        github.world.hooks.add(f"http://127.0.0.1:{port}/webhooks/github", "a-secret", ["workflow_run"])
    for number in range(3):
        sha = github.world.git.commit_files("main", {"a.py": f"{number}\n".encode()}, "More", "ben")
        order = Order("ci.yml", "main", sha, "More", actor="ben")
        github.actions.record(order, [Job("test", (Step("Run pytest", "failure", RED, 3),))])
    github.world.hooks.settled()
    space = Workspace(slack.url)
    ben = space.person("ben")
    report = space.wait_for_message("#ci", containing="and 2 more runs", as_=ben, seconds=SOON)
    until(lambda: any("Failed in 3 runs" in issue["body"] for issue in github.world.store.all("issue")))
    assert len([one for one in space.messages("#ci", as_=ben) if "failed on" in one.plain]) == 1
    assert len(github.world.store.all("issue")) == 1

    def details() -> list[str]:
        return [reply.plain for reply in space.thread(report, as_=ben) if "The lines that matter" in reply.plain]

    until(details)
    assert len(details()) == 1
    space.close()
