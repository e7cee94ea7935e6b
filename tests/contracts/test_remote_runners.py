"""What only a cluster or a workflow can do to a training: refuse it, starve it, lose it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import kubernetes_validate
import pytest

from bot.clients.runners.github import GithubRunner, connect_github
from bot.clients.runners.kubernetes import KubernetesRunner, connect_kubernetes
from bot.clients.runners.kubernetes_job import job_manifest, job_name
from pipelines.errors import Refused, Unavailable
from pipelines.retrain.values import TrainingJob


def make_job(place, target="slow", run_id="churn-20261123-0900-ab12", **changes):
    return TrainingJob(
        run_id=run_id, model="churn", problem="classification", data="/d.csv", target=target,
        workdir=place.workdir(run_id), **{"trainer": "builtin"} | changes,
    )  # fmt: skip


@pytest.fixture
def anyplace(tmp_path):
    class Anyplace:
        def workdir(self, run_id):
            return f"s3://bucket/runs/{run_id}"

    return Anyplace()


class TestTheJob:
    def test_its_manifest_is_valid(self, anyplace):
        manifest = job_manifest(make_job(anyplace), "registry.example/trainer:1", "training")
        assert kubernetes_validate.validate(manifest, "1.33", strict=True) == "1.33"

    def test_it_keeps_to_restricted_pod_security_and_to_its_limits(self, anyplace):
        job = make_job(anyplace, memory_limit_mb=1000, timeout_minutes=5)
        spec = job_manifest(job, "trainer:1", "training")["spec"]
        pod = spec["template"]["spec"]
        assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 300)
        assert spec["ttlSecondsAfterFinished"] > 0
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["resources"]["limits"]["memory"] == "1512Mi"

    def test_a_teams_own_image_runs_its_own_command(self, anyplace, tmp_path):
        job = make_job(anyplace, trainer="image:team/own:2", command=("python", "/train.py"))
        container = job_manifest(job, "team/own:2", "training")["spec"]["template"]["spec"]["containers"][0]
        assert (container["image"], container["command"]) == ("team/own:2", ["python", "/train.py"])
        assert {"name": "SHIPMATE_WORKDIR", "value": job.workdir} in container["env"]

    @pytest.mark.parametrize("run_id", ["churn-1", "Churn_Model-1", "x" * 200, "a-" * 40, "ümlaut"])
    def test_its_name_is_a_label_and_the_runs_own(self, run_id):
        name = job_name(run_id)
        assert len(name) <= 63
        assert name.replace("-", "").isalnum()
        assert name.isascii()
        assert not name.endswith("-")
        assert name == job_name(run_id) != job_name(run_id + "1")


class TestKubernetesInTrouble:
    def test_a_node_without_room_is_told_while_it_waits(self, kubernetes_place):
        kubernetes_place.sandbox.cluster.misfortune = "Unschedulable"
        job = make_job(kubernetes_place)
        kubernetes_place.runner.start(job)
        state = kubernetes_place.runner.state(job)
        assert state.phase == "running"
        assert "No node has room" in state.progress.text

    def test_an_image_that_cannot_be_pulled_is_told_and_given_up_after_a_while(self, kubernetes_place, monkeypatch):
        kubernetes_place.sandbox.cluster.misfortune = "ImagePullBackOff"
        job = make_job(kubernetes_place)
        kubernetes_place.runner.start(job)
        assert "`trainer:1` cannot be pulled" in kubernetes_place.runner.state(job).reason
        monkeypatch.setattr("bot.clients.runners.kubernetes.STUCK_SECONDS", -5)
        assert kubernetes_place.runner.state(job).phase == "failed"
        assert kubernetes_place.sandbox.cluster.created() == []

    def test_a_pod_that_took_too_much_memory_says_what_to_write(self, kubernetes_place):
        kubernetes_place.sandbox.cluster.misfortune = "OOMKilled"
        job = make_job(kubernetes_place)
        kubernetes_place.runner.start(job)
        state = kubernetes_place.runner.state(job)
        assert state.phase == "failed"
        assert "`memory_limit_mb`" in state.reason

    def test_a_job_that_somebody_deleted_is_lost_and_may_be_started_again(self, kubernetes_place):
        job = make_job(kubernetes_place)
        kubernetes_place.runner.start(job)
        kubernetes_place.sandbox.cluster.delete_job("training", job_name(job.run_id))
        assert kubernetes_place.runner.state(job).phase == "lost"
        kubernetes_place.runner.start(job)
        assert kubernetes_place.runner.state(job).phase == "running"

    def test_a_model_file_that_is_not_the_one_of_the_result_is_refused(self, kubernetes_place):
        job = make_job(kubernetes_place, "quick")
        kubernetes_place.runner.start(job)
        while kubernetes_place.runner.state(job).phase == "running":
            pass
        kubernetes_place.storage.write(f"runs/{job.run_id}/model.pkl", b"another")
        with pytest.raises(Refused, match="not the one that was trained"):
            kubernetes_place.runner.artefacts(job)

    def test_a_namespace_that_does_not_exist_is_refused(self, kubernetes_place, tmp_path):
        connect = kubernetes_place.runner._connect
        elsewhere = KubernetesRunner(connect, kubernetes_place.storage, tmp_path, "elsewhere", "trainer:1")
        with pytest.raises(Refused, match='namespaces "elsewhere" not found'):
            elsewhere.start(make_job(kubernetes_place))

    def test_a_storage_that_only_this_machine_sees_is_refused(self, kubernetes_place, tmp_path):
        job = make_job(kubernetes_place)
        with pytest.raises(Refused, match="SHIPMATE_STORAGE_URL"):
            kubernetes_place.runner.start(replace(job, workdir=str(tmp_path)))

    def test_no_image_is_refused_with_the_name_of_the_setting(self, kubernetes_place, tmp_path):
        bare = KubernetesRunner(kubernetes_place.runner._connect, kubernetes_place.storage, tmp_path, "training", "")
        with pytest.raises(Refused, match="SHIPMATE_KUBERNETES_IMAGE"):
            bare.start(make_job(kubernetes_place))

    def test_a_token_that_is_not_known_is_refused(self, kubernetes_place):
        kubernetes_place.sandbox._token = "another"
        with pytest.raises(Refused, match="does not let the bot"):
            kubernetes_place.runner.start(make_job(kubernetes_place))

    def test_a_cluster_that_is_down_is_told(self, kubernetes_place):
        kubernetes_place.sandbox.stop()
        with pytest.raises(Unavailable, match="Kubernetes"):
            kubernetes_place.runner.start(make_job(kubernetes_place))
        kubernetes_place.sandbox._server._thread.join(1)

    def test_no_cluster_at_all_is_told(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(Refused, match="doctor"):
            connect_kubernetes("no-such-context")


class TestGithubInTrouble:
    def test_a_run_that_github_never_lists_is_lost_after_a_while(self, github_place):
        job = make_job(github_place)
        long_ago = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
        github_place.storage.write(f"runs/{job.run_id}/github.json", json.dumps({"at": long_ago, "run": None}).encode())
        assert github_place.runner.state(job).phase == "lost"
        github_place.runner.start(job)
        assert github_place.runner.state(job).phase == "running"

    def test_a_run_is_found_by_its_name_where_the_order_was_answered_with_nothing(self, github_place):
        job = make_job(github_place)
        github_place.runner.start(job)
        key = f"runs/{job.run_id}/github.json"
        note = json.loads(github_place.storage.read(key)) | {"run": None}
        github_place.storage.write(key, json.dumps(note).encode())
        assert github_place.again().state(job).phase == "running"
        github_place.again().cancel(job)
        (run,) = github_place.sandbox.actions.runs("train.yml")
        assert run.cancelled

    def test_a_workflow_that_does_not_exist_is_refused(self, github_place, tmp_path):
        def connect():
            return connect_github("a-token", github_place.sandbox.url)

        runner = GithubRunner(connect, github_place.storage, tmp_path, "ours/models", "gone.yml", "main")
        with pytest.raises(Refused, match="GitHub refused the workflow"):
            runner.start(make_job(github_place))

    def test_a_token_that_is_not_known_is_refused(self, github_place, tmp_path):
        def connect():
            return connect_github("another", github_place.sandbox.url)

        runner = GithubRunner(connect, github_place.storage, tmp_path, "ours/models", "train.yml", "main")
        with pytest.raises(Refused, match="does not let the bot"):
            runner.start(make_job(github_place))

    def test_no_repository_is_refused_with_the_name_of_the_setting(self, github_place, tmp_path):
        runner = GithubRunner(lambda: None, github_place.storage, tmp_path, "", "train.yml", "main")
        with pytest.raises(Refused, match="SHIPMATE_GITHUB_REPOSITORY"):
            runner.start(make_job(github_place))

    def test_github_that_is_down_is_told(self, github_place, tmp_path):
        def connect():
            return connect_github("a-token", "http://127.0.0.1:1")

        runner = GithubRunner(connect, github_place.storage, tmp_path, "ours/models", "train.yml", "main")
        with pytest.raises(Unavailable, match="GitHub"):
            runner.start(make_job(github_place))
