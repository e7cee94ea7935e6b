"""Runs what goes well, for real, and keeps what it printed: logs in which no cause may be found.

    python tests/benchmarks/record_green.py --to FOLDER                one .log a command that ended with 0
    python tests/benchmarks/record_green.py --to FOLDER --pack FILE    put them into a .jsonl.gz

Installs, tests, builds, checks and trainings of green.yaml, as far as their tools are on this machine; some twenty
minutes. What ends otherwise than with 0 is told and left out. What only this machine has (mirrors, folders) is taken
out. `tests/benchmarks/green_logs.jsonl.gz` was made like this.
"""

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

SRC = Path(__file__).resolve().parents[2]
SECONDS = 240
LARGEST = 60_000  # characters of a log that are kept, from its beginning and its end
TOOLS = (
    "bandit detect-secrets flake8 pylint black tox nox sphinx mkdocs yamllint coverage pytest build wheel setuptools"
)
MIRROR = re.compile(r"^Looking in |file:///|/opt/|WARNING: Location|CERT|\.cargo/config")


def record(command: dict[str, str], folder: Path, name: str) -> bool:
    tools = (folder / "tools").resolve()
    if not tools.exists():
        subprocess.run(["python3", "-m", "venv", str(tools)], check=True)
        subprocess.run([str(tools / "bin" / "pip"), "install", "--quiet", *TOOLS.split()], check=True)
    environment = os.environ | {
        "CI": "true", "PYTHONDONTWRITEBYTECODE": "1", "TOOLS": str(tools), "PYTHON": sys.executable,
        "BIN": str(Path(sys.executable).parent), "SRC": str(SRC),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        said = ""
        for script in (command.get("prepare", "true"), command["run"]):
            try:
                ended = subprocess.run(
                    ["bash", "-c", script], cwd=place, env=environment, timeout=SECONDS, check=False,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return False
            if ended.returncode:
                return False
            said = ended.stdout.decode(errors="replace")
        if said.strip():
            for only_here, told in ((place, "/work"), (str(tools), "/tools"), (str(SRC), "/src")):
                said = said.replace(only_here, told)
            (folder / f"{name}.log").write_text(f"$ {command['run']}\n{said}")
        return bool(said.strip())


def plain(text: str) -> str:
    """Without the lines that tell of a mirror, and no longer than is kept."""
    text = "\n".join(line for line in text.splitlines() if not MIRROR.search(line)) + "\n"
    if len(text) <= LARGEST:
        return text
    return text[: LARGEST // 2].rpartition("\n")[0] + "\n" + text[-LARGEST // 2 :].partition("\n")[2]


def pack(folder: Path, into: Path) -> None:
    with gzip.GzipFile(into, "wb", mtime=0) as out:
        for log in sorted(folder.glob("*.log")):
            out.write(json.dumps({"name": log.stem, "log": plain(log.read_text())}).encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--pack", type=Path)
    asked = parser.parse_args()
    if asked.pack:
        pack(asked.to, asked.pack)
        return
    asked.to.mkdir(parents=True, exist_ok=True)
    for name, command in yaml.safe_load(Path(__file__).with_name("green.yaml").read_text()).items():
        if not (asked.to / f"{name}.log").exists():
            print(f"{'kept' if record(command, asked.to, name) else 'LEFT OUT':<10}{name}", flush=True)


if __name__ == "__main__":
    main()
