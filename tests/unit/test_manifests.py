"""What the Kubernetes manifests promise the bot, and that the builder refuses what it does not understand."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("dev", "production")


@pytest.fixture(scope="module")
def kustomization() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kustomization", ROOT / ".ci" / "kustomization.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(kustomization: ModuleType, overlay: str, kind: str) -> list[dict[str, Any]]:
    documents = kustomization.build(ROOT / "manifests/kubernetes/overlays" / overlay)
    return [document for document in documents if document["kind"] == kind]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_that_comes_back_has_the_executor_id_and_the_volume_it_had(
    kustomization: ModuleType, overlay: str
) -> None:
    [bot] = built(kustomization, overlay, "StatefulSet")
    pod = bot["spec"]["template"]["spec"]
    names = {entry["name"]: entry for entry in pod["containers"][0]["env"]}
    assert names["SHIPMATE_EXECUTOR_ID"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert [claim["metadata"]["name"] for claim in bot["spec"]["volumeClaimTemplates"]] == ["memory"]
    assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_bot_may_run_trainings_and_read_why_they_failed_and_nothing_more(
    kustomization: ModuleType, overlay: str
) -> None:
    [role] = built(kustomization, overlay, "Role")
    rights = {name: set(rule["verbs"]) for rule in role["rules"] for name in rule["resources"]}
    look = {"get", "list", "watch"}
    assert role["metadata"]["namespace"] == "shipmate-training"
    assert rights == {"jobs": look | {"create", "delete"}, "pods": look, "pods/log": look, "events": look}
    assert built(kustomization, overlay, "ClusterRole") == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_both_namespaces_accept_restricted_pods_only(kustomization: ModuleType, overlay: str) -> None:
    namespaces = built(kustomization, overlay, "Namespace")
    enforced = {
        n["metadata"]["name"]: n["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for n in namespaces
    }
    assert enforced == {"shipmate": "restricted", "shipmate-training": "restricted"}


def test_the_mounted_catalogue_is_the_one_that_was_made(kustomization: ModuleType) -> None:
    [made] = built(kustomization, "dev", "ConfigMap")
    [bot] = built(kustomization, "dev", "StatefulSet")
    mounted = [volume for volume in bot["spec"]["template"]["spec"]["volumes"] if "configMap" in volume]
    assert [volume["configMap"]["name"] for volume in mounted] == [made["metadata"]["name"]]
    assert set(made["data"]) == {"shipmate.yaml"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("namePrefix: x-\n", "namePrefix"),
        ("resources: [gone.yaml]\n", "gone.yaml"),
        ("configMapGenerator: [{name: x, envs: [a]}]\n", "envs"),
    ],
)
def test_what_the_builder_does_not_understand_it_refuses(
    kustomization: ModuleType, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "kustomization.yaml").write_text(text)
    with pytest.raises(kustomization.NotBuilt, match=said):
        kustomization.build(tmp_path)
