"""Runs one side of a comparison in a process, and for a peer in a venv, of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENVS = ROOT / ".venv-peers"
PACKAGES = {
    "side_langchain": ("langchain-chroma", "langchain-text-splitters"),
    "side_haystack": ("haystack-ai",),
}
RUNTIME = ("onnxruntime", "tokenizers", "numpy")


def side(name: str, folder: Path, pages: int = 1_000_000) -> dict:
    """Figures of `side_shipmate` or of a peer: documents/s, p50, p99, peak memory, and what was found."""
    environment = {**os.environ, "PYTHONPATH": f"{HERE}:{HERE / 'peers'}", "ANONYMIZED_TELEMETRY": "False"}
    environment |= {"HAYSTACK_TELEMETRY_ENABLED": "False", "MINILM32": str(VENVS / "minilm32")}
    python = Path(sys.executable)
    if name in PACKAGES:
        python = peer_python(name)
        if not (VENVS / "minilm32" / "minilm32.onnx").exists():
            command = [sys.executable, str(HERE / "minilm32.py"), str(VENVS / "minilm32")]
            subprocess.run(command, check=True, env=environment | {"PYTHONPATH": str(ROOT)})
    else:
        environment["PYTHONPATH"] += f":{ROOT}"
    command = [str(python), str(HERE / "peers" / f"{name}.py"), str(folder), str(pages)]
    ended = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(ended.stdout.splitlines()[-1])


def peer_python(name: str) -> Path:
    python = VENVS / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENVS / name)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name], *RUNTIME]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    return python
