"""Builds kustomizations, in the subset of kustomize that manifests/ uses.

Whatever lies outside that subset is refused rather than ignored, so that what is checked is what kustomize builds.
"""

import copy
import hashlib
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
FIELDS = {"apiVersion", "kind", "namespace", "labels", "resources", "configMapGenerator", "patches"}


class NotBuilt(Exception):
    """The kustomization is wrong, or uses what is not understood here; the text says where."""


def build(folder: Path) -> list[Document]:
    """Every document of one kustomization, as `kustomize build` would print it."""
    file = folder / "kustomization.yaml"
    if not file.is_file():
        raise NotBuilt(f"{file} is not there")
    plan = yaml.safe_load(file.read_text())
    only(file, plan, FIELDS)
    documents = [document for name in plan.get("resources", []) for document in resource(folder, name)]
    for entry in plan.get("configMapGenerator", []):
        documents = with_config_map(file, documents, entry)
    for patch in plan.get("patches", []):
        only(file, patch, {"path"})
        apply(file, documents, yaml.safe_load((folder / patch["path"]).read_text()))
    for document in documents:
        if "namespace" in plan and document["kind"] not in CLUSTER_WIDE:
            document["metadata"]["namespace"] = plan["namespace"]
        for entry in plan.get("labels", []):
            only(file, entry, {"pairs"})
            document["metadata"].setdefault("labels", {}).update(entry["pairs"])
    each_once(file, documents)
    return documents


def resource(folder: Path, name: str) -> list[Document]:
    path = folder / name
    if path.is_dir():
        return build(path)
    if not path.is_file():
        raise NotBuilt(f"{folder / 'kustomization.yaml'} names {name}, which is not there")
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def with_config_map(file: Path, documents: list[Document], entry: Document) -> list[Document]:
    """The map under a name that changes with its content, and every volume that mounts it pointing there."""
    only(file, entry, {"name", "files"})
    content = {Path(name).name: (file.parent / name).read_text() for name in entry["files"]}
    digest = hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()[:10]
    name = f"{entry['name']}-{digest}"
    mounted = [volume for document in documents for volume in volumes(document) if volume["name"] == entry["name"]]
    if not mounted:
        raise NotBuilt(f"{file} makes the map {entry['name']}, which nothing mounts")
    for volume in mounted:
        volume["name"] = name
    return [*documents, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": content}]


def volumes(document: Document) -> list[Document]:
    pod = document.get("spec", {}).get("template", {}).get("spec", {})
    return [volume["configMap"] for volume in pod.get("volumes", []) if "configMap" in volume]


def apply(file: Path, documents: list[Document], patch: Document) -> None:
    found = [document for document in documents if identity(document) == identity(patch)]
    if len(found) != 1:
        raise NotBuilt(f"{file} patches {identity(patch)}, of which there are {len(found)}")
    merge(file, found[0], patch)


def merge(file: Path, target: Document, patch: Document) -> None:
    for key, value in patch.items():
        if isinstance(value, list):
            # kustomize merges some lists by name and replaces others; nothing here needs either.
            raise NotBuilt(f"{file} patches the list {key}, which is not understood here")
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(file, target[key], value)
        else:
            target[key] = copy.deepcopy(value)


def identity(document: Document) -> tuple[str, str, str, str]:
    metadata = document["metadata"]
    return document["apiVersion"], document["kind"], metadata.get("namespace", ""), metadata["name"]


def each_once(file: Path, documents: list[Document]) -> None:
    seen = [identity(document) for document in documents]
    twice = sorted({name for name in seen if seen.count(name) > 1})
    if twice:
        raise NotBuilt(f"{file} holds {twice} twice")


def only(file: Path, entry: Document, known: set[str]) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise NotBuilt(f"{file} uses {', '.join(unknown)}, which is not understood here")
