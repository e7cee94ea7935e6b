"""Builds every kustomization under manifests/kubernetes and holds the result to Kubernetes' schemas and to checkov.

Prints one line a fault; exit code 1 when there is any.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml
from kustomization import Document, NotBuilt, build

ROOT = Path(__file__).resolve().parents[1]
KUBERNETES = "1.33"
# Checks that do not fit, each with its reason.
SKIPPED = {
    "CKV_K8S_43": "images are named by tag here; whoever deploys pins the digest of the image that they built",
    "CKV_K8S_35": "settings come as environment variables, from a secret; the bot reads no secret files",
    "CKV_K8S_38": "the bot asks the cluster for training jobs, so its pod needs the account's token",
}


def main() -> int:
    """Look at manifests/kubernetes; with --checkov, also run that program on what was built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", type=Path, help="the checkov program; without it only the schemas are checked")
    checkov = parser.parse_args().checkov
    faults = found(ROOT / "manifests" / "kubernetes", checkov)
    for fault in faults:
        sys.stdout.write(f"manifests: {fault}\n")
    return 1 if faults else 0


def found(folder: Path, checkov: Path | None) -> list[str]:
    """Every fault, in plain words."""
    faults = []
    for file in sorted(folder.rglob("kustomization.yaml")):
        name = str(file.parent.relative_to(folder))
        try:
            documents = build(file.parent)
        except NotBuilt as fault:
            faults.append(str(fault))
            continue
        faults += [f"{name}: {fault}" for document in documents for fault in against_schema(document)]
        faults += [f"{name}: {fault}" for fault in dangling(documents)]
        if checkov and name.startswith("overlays"):
            faults += scanned(name, documents, checkov)
    return faults


def against_schema(document: Document) -> list[str]:
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as fault:
        return [f"{document['kind']} {document['metadata']['name']}: {getattr(fault, 'message', fault)}"]
    return []


def dangling(documents: list[Document]) -> list[str]:
    """Accounts and maps that a pod of this build names and the build does not hold."""
    held = {(document["kind"], document["metadata"]["name"]) for document in documents}
    wanted = set()
    for document in documents:
        pod = document.get("spec", {}).get("template", {}).get("spec", {})
        if "serviceAccountName" in pod:
            wanted.add(("ServiceAccount", pod["serviceAccountName"]))
        wanted |= {("ConfigMap", v["configMap"]["name"]) for v in pod.get("volumes", []) if "configMap" in v}
    return [f"a pod wants {kind} {name}, which is not there" for kind, name in sorted(wanted - held)]


def scanned(name: str, documents: list[Document], checkov: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "built.yaml"
        built.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        command = [str(checkov), "--file", str(built), "--framework", "kubernetes", "--quiet", "--compact"]
        command += ["--skip-download", "--skip-check", ",".join(SKIPPED)]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    return [f"{name}: checkov says\n{outcome.stdout}{outcome.stderr}"] if outcome.returncode else []


if __name__ == "__main__":
    sys.exit(main())
