"""Tools of the demo's CI: some are run for real, others say what they said when they were run on this repository."""

import hashlib
import importlib.util
import math
import re
import textwrap
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent
TITLE_WIDTH = 58
# What lies in the index of the demo's company: name, version, what it needs.
PACKAGES = (
    ("feature-store-client", "3.2.0", ("protobuf<6",)),
    ("protobuf", "5.29.3", ()),
    ("protobuf", "5.29.6", ()),
    ("protobuf", "6.33.1", ()),
    ("requests", "2.31.0", ()),
    ("serving-protocol", "2.0.1", ("protobuf>=6",)),
)


# Pieces, so that nobody's scanner takes it for a key that leaked from here.
ACCESS_KEY = "AKIA" + "Q7WZ5T3XLR6N2JHB"
_ACCESS_KEY = re.compile(r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b")
CATALOGUE_OF_SCHEMAS = "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main"


@dataclass(frozen=True)
class Said:
    """`timed_out`: it was ended from outside, so there is no exit code to speak of."""

    text: str
    code: int = 0
    timed_out: bool = False


def read_yaml(name: str) -> Any:
    return YAML(typ="safe").load((FOLDER / name).read_text())


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def bandit(tree: Path) -> Said:
    """As recorded; what was recorded as found is told of that very file only."""
    known = read_yaml("recordings.yaml")["bandit"]
    flagged = tree / known["flagged"]
    if flagged.is_file() and hashlib.sha256(flagged.read_bytes()).hexdigest() == known["sha256"]:
        return Said(known["found"], 1)
    return Said(known["clean"])


def docker_build(tree: Path) -> Said:
    lines = (tree / "Dockerfile").read_text().splitlines()
    steps = [f"#{place + 4} [{place}/{len(lines)}] {line}" for place, line in enumerate(lines, start=1)]
    return Said(
        "\n".join(
            [
                "#1 [internal] load build definition from Dockerfile",
                *steps,
                "#9 naming to ghcr.io/shipyard/churn:ci done",
            ]
        )
    )


def trivy(tree: Path) -> Said:
    """The table that trivy prints, for the base image that the Dockerfile names."""
    base = (tree / "Dockerfile").read_text().split()[1]
    image = read_yaml("recordings.yaml")["images"].get(base)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if image is None:
        return Said(f'{now}\tFATAL\tFatal error\tunable to find the base image "{base}"', 1)
    family, _, version = image["os"].partition(" ")
    counts = f'os_version="{version.split(".")[0]}" pkg_num={image["packages"]}'
    head = (
        f"{now}\tINFO\t[vuln] Vulnerability scanning is enabled\n"
        f'{now}\tINFO\tDetected OS\tfamily="{family}" version="{version}"\n'
        f"{now}\tINFO\t[{family}] Detecting vulnerabilities...\t{counts}\n"
    )
    findings = image["findings"]
    title = f"ghcr.io/shipyard/churn:ci ({image['os']})"
    counted = f"Total: {len(findings)} (CRITICAL: {len(findings)})"
    table = f"\n\n{_table(findings)}" if findings else ""
    return Said(f"{head}\n{title}\n{'=' * len(title)}\n{counted}{table}", 1 if findings else 0)


def gitleaks(tree: Path) -> Said:
    """`gitleaks dir --redact --verbose` with its rule for access keys."""
    leaks, size = [], 0
    for file in sorted(tree.rglob("*")):
        if not file.is_file():
            continue
        content = file.read_bytes()
        size += len(content)
        place = file.relative_to(tree).as_posix()
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
            leaks += [_leak(place, number, found[0]) for found in _ACCESS_KEY.finditer(line)]
    now = datetime.now(UTC).strftime("%I:%M%p").lstrip("0")
    ended = f"WRN leaks found: {len(leaks)}" if leaks else "INF no leaks found"
    scanned = f"{now} INF scanned ~{size} bytes ({size / 1000:.2f} KB) in 21.3ms\n{now} {ended}"
    return Said("\n".join([*leaks, scanned]), 1 if leaks else 0)


def _leak(place: str, number: int, secret: str) -> str:
    shares = [secret.count(letter) / len(secret) for letter in set(secret)]
    told = {
        "Finding": "REDACTED", "Secret": "REDACTED", "RuleID": "aws-access-token",
        "Entropy": f"{-sum(share * math.log2(share) for share in shares):f}", "File": place, "Line": str(number),
        "Fingerprint": f"{place}:aws-access-token:{number}",
    }  # fmt: skip
    return "".join(f"{name + ':':<12} {value}\n" for name, value in told.items())


def pip_audit(tree: Path) -> Said:
    """The table of what is known of the pinned versions."""
    known = read_yaml("recordings.yaml")["packages"]
    pinned = [line.split("==") for line in (tree / "requirements.txt").read_text().splitlines() if "==" in line]
    rows = [
        (name, version, one["id"], one["fixed"])
        for name, version in pinned
        for one in known.get(f"{name}=={version}", ())
    ]
    if not rows:
        return Said("No known vulnerabilities found")
    many, packages = len(rows), len({row[0] for row in rows})
    lines = [
        f"Found {many} known vulnerabilit{'y' if many == 1 else 'ies'} in {packages} package{'s'[: packages > 1]}",
        *_columns([("Name", "Version", "ID", "Fix Versions"), *rows]),
    ]
    return Said("\n".join(lines), 1)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    ruled = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return [" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in ruled]


def kubeconform(tree: Path) -> Said:
    """What the schema of an inference service says of its predictor; kustomizations are skipped, as it asks for."""
    fields = read_yaml("recordings.yaml")["predictor"]
    lines, files = [], sorted((tree / "manifests").glob("*.yaml"))
    counts = {"Valid": 0, "Invalid": 0, "Errors": 0, "Skipped": 0}
    for file in files:
        manifest = YAML(typ="safe").load(file.read_text())
        if manifest["kind"] == "Kustomization":
            counts["Skipped"] += 1
            continue
        unknown = [name for name in manifest["spec"]["predictor"] if name not in fields]
        counts["Invalid" if unknown else "Valid"] += 1
        if unknown:
            kind, name = manifest["kind"], manifest["metadata"]["name"]
            group, _, version = manifest["apiVersion"].partition("/")
            schema = f"{CATALOGUE_OF_SCHEMAS}/{group}/{kind.lower()}_{version}.json"
            lines.append(
                f"manifests/{file.name} - {kind} {name} is invalid: problem validating schema. Check JSON formatting: "
                f"jsonschema validation failed with '{schema}#' - at '/spec/predictor': additional properties "
                f"{', '.join(repr(one) for one in unknown)} not allowed"
            )
    many = f"{len(files)} resource{'s'[: len(files) > 1]} found in {len(files)} file{'s'[: len(files) > 1]}"
    counted = ", ".join(f"{name}: {count}" for name, count in counts.items())
    return Said("\n".join([*lines, f"Summary: {many} - {counted}"]), 1 if counts["Invalid"] else 0)


def write_wheels(folder: Path) -> None:
    """Empty packages with true metadata: enough for pip to resolve, install and quarrel over."""
    for name, version, needs in PACKAGES:
        stem = f"{name.replace('-', '_')}-{version}"
        info = f"{stem}.dist-info"
        required = "".join(f"Requires-Dist: {need}\n" for need in needs)
        files = {
            f"{name.replace('-', '_')}/__init__.py": "",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            for path, content in files.items():
                wheel.writestr(path, content)
            wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]))


def _table(findings: Sequence[Mapping[str, str]]) -> str:
    names = ("Library", "Vulnerability", "Severity", "Status", "Installed Version", "Fixed Version", "Title")
    rows = []
    for one in findings:
        link = f"https://avd.aquasec.com/nvd/{one['id'].lower()}"
        status = "fixed" if one["fixed"] else "will_not_fix"
        cells = [one["library"], one["id"], "CRITICAL", status, one["installed"], one["fixed"]]
        rows.append([[cell] for cell in cells] + [[*textwrap.wrap(one["title"], TITLE_WIDTH), link]])
    widths = [max(len(name), *(len(line) for row in rows for line in row[i])) for i, name in enumerate(names)]

    def ruled(left: str, middle: str, right: str) -> str:
        return left + middle.join("─" * (width + 2) for width in widths) + right

    def drawn(cells: Sequence[Sequence[str]], fit: Callable[[str, int], str]) -> list[str]:
        height = max(len(cell) for cell in cells)
        padded = [[*cell, *[""] * (height - len(cell))] for cell in cells]
        return [
            "│" + "│".join(f" {fit(line, width)} " for line, width in zip(row, widths, strict=True)) + "│"
            for row in zip(*padded, strict=True)
        ]

    lines = [ruled("┌", "┬", "┐"), *drawn([[name] for name in names], str.center)]
    for row in rows:
        lines += [ruled("├", "┼", "┤"), *drawn(row, str.ljust)]
    return "\n".join([*lines, ruled("└", "┴", "┘")])
