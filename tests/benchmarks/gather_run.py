"""How long it takes to gather a failed run from GitHub (the sandbox, on loopback), by the size of its log.

    .venv/bin/python tests/benchmarks/gather_run.py

The failed run and the green run before it have logs of the same size; the requests are those that GitHub counts. The
largest memory is that of this process, which holds the sandbox as well.
"""

import random
import resource
import statistics
import tempfile
import time
from pathlib import Path

from bot.clients.github import Connection, GithubRuns, GithubSources, connect
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from pipelines.triage.gathering import Gathering
from pipelines.triage.values import RunReference

SIZES_MB = (0.01, 1, 10)
TIMES = 5


def log_of(size_mb: float, seed: int, failed: bool) -> bytes:
    """Lines as a build prints them; every tenth one is different in each run."""
    chance, lines, size = random.Random(seed), [], 0
    while size < size_mb * 1_000_000:
        word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9)) if chance.random() < 0.1 else "module"
        lines.append(f"2026-11-25T21:20:04.5000000Z [{len(lines)}/9999] Compiling {word} v1.{len(lines) % 90}.0 ok")
        size += len(lines[-1]) + 1
    return "\n".join([*lines, *["##[error]Process completed with exit code 1."] * failed]).encode()


def main() -> None:
    print("| log | p50 | slowest | requests | new lines | largest memory |")
    print("|---|---|---|---|---|---|")
    for size_mb in SIZES_MB:
        with tempfile.TemporaryDirectory() as folder:
            sandbox = GithubSandbox("ours/models", "a-token", [Workflow("ci.yml", name="ci")], folder=Path(folder))
            sandbox.start()
            runs = []
            for number, conclusion in enumerate(("success", "failure")):
                sha = sandbox.world.git.commit_files("main", {"a.py": str(number).encode()}, "work", "ben")
                job = Job("test", (Step("Run pytest", conclusion, "x", 3),))
                runs.append(sandbox.actions.record(Order("ci.yml", "main", sha, "work"), [job]))
                (told,) = sandbox.actions.found(runs[-1])["attempts"][0]["jobs"]
                sandbox.world.store.put_blob(told["log"], log_of(size_mb, number, conclusion == "failure"))
            gathering = measured(sandbox, runs[1], Path(folder))
            sandbox.stop()
        seconds, requests, new = gathering
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        took = f"{statistics.median(seconds):.2f} s | {max(seconds):.2f} s"
        print(f"| {size_mb:g} MB | {took} | {requests} | {new} | {memory:.0f} MB |")


def measured(sandbox: GithubSandbox, run: int, folder: Path) -> tuple[list[float], int, int]:
    connection = Connection(lambda: connect("a-token", sandbox.url))
    gathering = Gathering(GithubRuns(connection), GithubSources(connection))
    before, seconds, new = sandbox.world.faults.used, [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        found = gathering.gather(RunReference("ours/models", run), folder / "logs")
        seconds.append(time.perf_counter() - began)
        assert found.logs[0].path is not None
        new = len(found.changed.new_lines)
    return seconds, (sandbox.world.faults.used - before) // TIMES, new


if __name__ == "__main__":
    main()
