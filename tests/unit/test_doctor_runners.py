"""What the doctor says of the places where training runs, asked at the wire with the real clients."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings
from bot.doctor.outside import github_check, kubernetes_check, mlflow_check


@pytest.fixture
def cluster(tmp_path: Path, slack_wire: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A kubeconfig that leads to the wire."""
    path = tmp_path / "kubeconfig"
    server = slack_wire.api_url.removesuffix("/api/")
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return slack_wire


def review(allowed: bool) -> dict[str, Any]:
    return {"kind": "SelfSubjectAccessReview", "spec": {}, "status": {"allowed": allowed}}


def test_a_cluster_that_lets_us_run_jobs_is_fine(cluster: Any) -> None:
    cluster.answers["selfsubjectaccessreviews"] = review(allowed=True)
    (finding,) = kubernetes_check(Settings(kubernetes_image="trainer:1"))
    assert (finding.level, finding.text) == ("ok", "may run jobs in shipmate-training")


def test_each_permission_that_is_lacking_is_named(cluster: Any) -> None:
    def judge(sent: dict[str, Any]) -> dict[str, Any]:
        asked = sent["spec"]["resourceAttributes"]
        return review(allowed=(asked["resource"], asked.get("subresource")) != ("pods", "log"))

    cluster.answers["selfsubjectaccessreviews"] = judge
    findings = list(kubernetes_check(Settings()))
    assert [finding.text for finding in findings] == ["no training image", "may not get pods/log in shipmate-training"]


def test_a_cluster_that_does_not_answer_is_told(cluster: Any) -> None:
    cluster.close()
    (finding,) = kubernetes_check(Settings(kubernetes_image="trainer:1"))
    assert finding.level == "problem"


def test_without_a_kubeconfig_the_doctor_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    (finding,) = kubernetes_check(Settings(kubernetes_image="trainer:1"))
    assert "ConfigException" in finding.text


@pytest.fixture
def on_github(slack_wire: Any) -> Settings:
    base = slack_wire.api_url.rstrip("/")
    slack_wire.answers = {
        "models": {"url": f"{base}/repos/acme/models", "full_name": "acme/models"},
        "train.yml": {"url": f"{base}/repos/acme/models/actions/workflows/1", "state": "active", "id": 1},
    }
    return Settings(github_api_url=base, github_repository="acme/models", github_token="ghp-test")


def test_an_active_workflow_is_fine(on_github: Settings) -> None:
    assert [finding.level for finding in github_check(on_github)] == ["ok"]


def test_a_disabled_workflow_is_a_problem(on_github: Settings, slack_wire: Any) -> None:
    slack_wire.answers["train.yml"]["state"] = "disabled_manually"
    (finding,) = github_check(on_github)
    assert finding.text == "train.yml is disabled_manually"


def test_a_repository_that_cannot_be_seen_is_a_problem(on_github: Settings, slack_wire: Any) -> None:
    slack_wire.answers["models"] = 500
    slack_wire.answers["train.yml"] = 500
    assert [finding.level for finding in github_check(on_github)] == ["problem"]
    assert [finding.level for finding in github_check(Settings())] == ["problem"]


def test_mlflow_behind_http_is_asked_for_its_models(slack_wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = slack_wire.api_url.removesuffix("/api/")
    slack_wire.answers = {"search": {"registered_models": []}}
    assert [finding.level for finding in mlflow_check(Settings(mlflow_tracking_uri=uri))] == ["ok"]
    slack_wire.close()
    (finding,) = mlflow_check(Settings(mlflow_tracking_uri=uri))
    assert (finding.level, finding.advice) == ("problem", "Check MLFLOW_TRACKING_URI.")
