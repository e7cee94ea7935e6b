"""A training process for tests: what it does stands in the job's target. Reads and writes its workdir like the real
one, so it runs wherever that runs."""

import argparse
import hashlib
import os
import subprocess
import sys
import time

from pipelines.json_values import to_json
from pipelines.retrain.values import TrainingResult
from pipelines.retrain.workdir import Workdir


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workdir", required=True)
    with Workdir(parser.parse_args().workdir) as workdir:
        return act(workdir)


def act(workdir: Workdir) -> int:
    job = workdir.job()
    with (workdir.folder / f"started-{os.getpid()}").open("w") as started:
        started.write("1")
    workdir.deliver(f"started-{os.getpid()}")
    workdir.tell("fitting", 0.5, "half way")
    if job.target == "refuse":
        workdir.write("error.json", {"sentence": "The table has one class only.", "kind": "data"})
        return 3
    if job.target == "crash":
        sys.stderr.write("Traceback of something\nZeroDivisionError: division by zero\n")
        return 1
    if job.target == "slow":
        time.sleep(600)
    if job.target == "stubborn":
        subprocess.Popen(
            [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
        )
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if job.target == "greedy":
        held = bytearray(200 << 20)
        time.sleep(600)
        return len(held)
    model = b"a model"
    (workdir.folder / "model.pkl").write_bytes(model)
    (workdir.folder / "environment.txt").write_text("\n".join(sorted(os.environ)))
    workdir.deliver("model.pkl")
    workdir.write("result.json", to_json(result(job.run_id, hashlib.sha256(model).hexdigest())))
    return 0


def result(run_id: str, sha256: str) -> TrainingResult:
    return TrainingResult(
        run_id=run_id, metrics={"roc_auc": 0.8}, cross_validation={}, champion_metrics=None, importance=(),
        coverage=None, rows_train=8, rows_test=2, features=("age",), data_sha256="d", estimator="scripted",
        seconds=0.1, peak_memory_mb=10.0, model_sha256=sha256,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
