"""How fast the evidence engine is: a 1 GB log, and 20 MB beside what others use, each in a process of its own.

    python tests/benchmarks/evidence.py                   the engine alone: 20 MB, 1 GB, private memory, one core
    python tests/benchmarks/evidence.py --peers FOLDER    the same 20 MB with peers, each in a venv under FOLDER

The log is made of the passing parts of recorded logs (SHIPMATE_DATA/logs) with a failure near its end.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
DATA = Path(os.environ.get("SHIPMATE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
NEEDLE = b"""Traceback (most recent call last):
  File "train.py", line 12, in <module>
    model.fit(rows)
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 4.39 GiB. GPU 0 has a total capacity of 22.30 GiB
##[error]Process completed with exit code 1.
Post job cleanup.
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """`installs` are arguments of pip, one installation each; `program` reads the file that its argument names."""

    installs: tuple[str, ...]
    program: str


PEERS = {
    "drain3": Peer(
        ("drain3",),
        """
        import logging, sys; logging.disable()
        from drain3 import TemplateMiner
        miner = TemplateMiner()
        for line in open(sys.argv[1], errors="replace"):
            miner.add_log_message(line.rstrip())
        """,
    ),
    "ci-log-intelligence": Peer(
        ("ci-log-intelligence",),
        """
        import logging, sys; logging.disable()
        from ci_log_intelligence import analyze_log
        analyze_log(open(sys.argv[1], errors="replace").read())
        """,
    ),
    # Its dependencies (Kerberos' headers, clients of language models) are not needed to extract: of its configuration,
    # which imports them, the extractor takes the logger alone.
    "logdetective": Peer(
        ("--no-deps logdetective", "drain3-improved pydantic"),
        """
        import logging, sys, types; logging.disable()
        sys.modules["logdetective.config"] = types.SimpleNamespace(LOG=logging.getLogger("logdetective"))
        from logdetective.extractors import DrainExtractor
        DrainExtractor()(open(sys.argv[1], errors="replace").read())
        """,
    ),
}
OURS = """
import json, os, resource, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from pathlib import Path
from pipelines.evidence.analysing import analyse
analyse([("warm", b"error: x\\n")])
start, cpu = time.perf_counter(), time.process_time()
found = analyse([("log", Path(sys.argv[1]))])
wall, used = time.perf_counter() - start, time.process_time() - cpu
private = sum(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Private_"))
peak = max(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
lines = "\\n".join(line.text for line in found.extract.lines)
print(json.dumps({"wall": wall, "cpu": used, "private": private / 1024, "found": "CUDA out of memory. Tried" in lines,
                  "cause": found.suspicions[0][1].text if found.suspicions else ""}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="folder for the peers' venvs; made where they are missing")
    parser.add_argument("--largest", type=int, default=1024, help="megabytes of the largest log")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.log", Path(folder) / "large.log"
        write_log(small, 20 * MEGABYTE)
        write_log(large, asked.largest * MEGABYTE)
        print(f"{'what':<24}{'MB':>6}{'wall s':>9}{'CPU s':>9}{'MB/s':>9}{'private MB':>12}  needle found")
        for file in (small, large):
            ours(file)
        for name in PEERS if asked.peers else ():
            peer(name, asked.peers, small)


def write_log(file: Path, size: int) -> None:
    pool = [gzip.decompress(log.read_bytes()) for log in sorted((DATA / "logs" / "logchunks").glob("*.gz"))[::9]]
    quiet = [b"\n".join(text.split(b"\n")[: text.count(b"\n") // 2]) + b"\n" for text in pool]
    with file.open("wb") as out:
        written = 0
        while written < size:
            for text in quiet:
                out.write(text)
                written += len(text)
                if written >= size:
                    break
        out.write(NEEDLE)


def ours(file: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", OURS, str(file)], capture_output=True, text=True, check=True, cwd=root)
    row = json.loads(run.stdout.splitlines()[-1])
    size = file.stat().st_size / MEGABYTE
    print(
        f"{'shipmate':<24}{size:>6.0f}{row['wall']:>9.2f}{row['cpu']:>9.2f}{size / row['cpu']:>9.0f}"
        f"{row['private']:>12.0f}  {row['found']}, {row['cause']}"
    )


def peer(name: str, folder: Path, file: Path) -> None:
    one, venv = PEERS[name], folder / name
    if not (venv / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        for arguments in one.installs:
            subprocess.run([str(venv / "bin" / "pip"), "install", "--quiet", *arguments.split()], check=True)
    before = os.times()
    start = time.perf_counter()
    command = [str(venv / "bin" / "python"), "-c", textwrap.dedent(one.program), str(file)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    size = file.stat().st_size / MEGABYTE
    told = "" if outcome.returncode == 0 else f"  exit {outcome.returncode}: {outcome.stderr.strip().splitlines()[-1:]}"
    print(f"{name:<24}{size:>6.0f}{wall:>9.2f}{used:>9.2f}{size / max(used, 0.01):>9.1f}{'':>12}{told}")


if __name__ == "__main__":
    main()
