"""Peers on the same rows as drift.py: each in an environment of its own, made on the first run by the project's uv.

.venv/bin/python tests/benchmarks/drift_peers.py [--rows 10000 100000] [--folder var/peers] [alibi-detect …]

Reads as CPU seconds and peak memory of the process beyond what it had with the rows loaded. A peer that does not
install or does not finish is told so.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from drift import Numbers, Texts, line, window

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 900
BEFORE = """
import json, resource, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd
before, now = (pd.read_csv(path) for path in sys.argv[1:3])
"""
AFTER = """
start, held = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
judge()
seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "megabytes": (peak - held) / 1024}))
"""
PEERS = {
    "alibi-detect": ("alibi-detect", """
import numpy as np
from alibi_detect.cd import TabularDrift
names = [name for name in before if name.startswith("c")]
both = pd.concat([before, now])
for name in names:
    both[name] = both[name].astype("category").cat.codes
table = both.to_numpy(dtype=np.float32)
one, other = table[: len(before)], table[len(before) :]
places = {list(before).index(name): None for name in names}
def judge():
    TabularDrift(one, p_val=0.05, categories_per_feature=places).predict(other)
"""),
    "nannyml": ("nannyml statsmodels", """
import nannyml as nml
def judge():
    calculator = nml.UnivariateDriftCalculator(column_names=list(before), chunk_number=1)
    calculator.fit(before).calculate(now)
"""),
    "evidently": ("evidently pandas<3", """
from evidently import Dataset, DataDefinition, Report
from evidently.presets import DataDriftPreset
definition = DataDefinition(
    numerical_columns=[name for name in before if name.startswith("n")],
    categorical_columns=[name for name in before if name.startswith("c")],
)
def judge():
    sides = [Dataset.from_pandas(side, data_definition=definition) for side in (now, before)]
    Report([DataDriftPreset()]).run(*sides).dict()
"""),
}  # fmt: skip


def main() -> None:
    """Print a table a peer and size."""
    options = argparse.ArgumentParser()
    options.add_argument("peers", nargs="*", default=list(PEERS))
    options.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--folder", type=Path, default=ROOT / "var" / "peers")
    asked = options.parse_args()
    line("peer", "rows x 50", "CPU s", "MB beyond the data")
    print("|---|---|---|---|")
    for name in asked.peers:
        python = environment(asked.folder / name, PEERS[name][0].split())
        for rows in asked.rows:
            found = measured(python, PEERS[name][1], files(asked.folder, rows)) if python else ("does not install", "")
            line(name, f"{rows:,}", *found)


def environment(folder: Path, packages: list[str]) -> Path | None:
    """The Python of an environment that holds these packages; None where they cannot be installed."""
    uv, python = ROOT / ".venv-tools" / "bin" / "uv", folder / "bin" / "python"
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    adding = [uv, "pip", "install", "--quiet", "--python", python, *packages]
    return python if subprocess.run(adding, check=False).returncode == 0 else None


def files(folder: Path, rows: int) -> tuple[Path, Path]:
    """The rows of drift.py, then and now, as CSV."""
    chance, found = np.random.default_rng(1), []
    for side in ("before", "now"):
        path = folder / f"{side}-{rows}.csv"
        columns = {}
        for name, column in window(chance, rows).items():
            if isinstance(column, Numbers):
                columns[name] = pa.array(column.values)
            elif isinstance(column, Texts):
                columns[name] = pa.DictionaryArray.from_arrays(column.codes, list(column.levels)).cast(pa.string())
        if not path.exists():
            pyarrow.csv.write_csv(pa.table(columns), path)
        found.append(path)
    return found[0], found[1]


def measured(python: Path, script: str, rows: tuple[Path, Path]) -> tuple[str, str]:
    command = [python, "-c", BEFORE + script + AFTER, *map(str, rows)]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"not finished in {LONGEST_SECONDS} s", ""
    if shown.returncode:
        return "fails: " + shown.stderr.strip().splitlines()[-1][:100], ""
    found = json.loads(shown.stdout.splitlines()[-1])
    return f"{found['seconds']:.2f}", f"{found['megabytes']:.0f}"


if __name__ == "__main__":
    main()
