"""What only a process on this machine can get wrong: races, kills, recycled ids, limits, secrets."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bot.clients.runners.local import LocalRunner
from bot.clients.storage import file_sha256
from bot.config import training_environment
from pipelines.errors import Refused
from pipelines.json_values import to_json
from pipelines.retrain.values import TrainingJob

TRAINER = Path(__file__).with_name("scripted_trainer.py")


def make_job(folder, target="slow", **changes):
    return TrainingJob(
        run_id="run-1", model="churn", problem="classification", data="/d.csv", target=target, trainer="builtin",
        workdir=str(folder), **changes,
    )  # fmt: skip


@pytest.fixture
def runner(local_place):
    return local_place.runner


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs" / "run-1"


def wait(claim, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, "it did not get there"
        time.sleep(0.05)
    return found


def processes_of(folder):
    running = psutil.process_iter(["cmdline"])
    return [process for process in running if str(folder) in (process.info["cmdline"] or [])]


STARTER = """
import json, sys
from bot.clients.runners.local import LocalRunner
from pipelines.json_values import from_json
from pipelines.retrain.values import TrainingJob
job = from_json(TrainingJob, json.loads(sys.argv[1]))
LocalRunner(sys.executable, {"PATH": "/usr/bin:/bin"}, (sys.argv[2],)).start(job)
print("started", flush=True)
sys.stdin.read()
"""


def start_elsewhere(job):
    command = [sys.executable, "-c", STARTER, json.dumps(to_json(job)), str(TRAINER)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_starts_that_race_in_threads_and_processes_start_one_child(runner, folder):
    job = make_job(folder)
    with start_elsewhere(job) as first, start_elsewhere(job) as second:
        with ThreadPoolExecutor(8) as crowd:
            list(crowd.map(lambda _: runner.start(job), range(8)))
        assert {first.stdout.readline(), second.stdout.readline()} == {"started\n"}
        wait(lambda: list(folder.glob("started-*")))
        assert len(processes_of(folder)) == 1
    runner.cancel(job)
    assert len(list(folder.glob("started-*"))) == 1


def test_a_child_outlives_the_kill_of_the_bot_and_is_found_by_the_next_one(runner, folder):
    job = make_job(folder)
    with start_elsewhere(job) as bot:
        bot.stdout.readline()
        bot.send_signal(signal.SIGKILL)
    assert wait(lambda: (now := runner.state(job)).progress and now).phase == "running"
    runner.start(job)
    assert len(processes_of(folder)) == 1
    runner.cancel(job)
    assert processes_of(folder) == []


def test_the_result_of_a_child_that_ended_while_nobody_looked_is_picked_up(runner, folder):
    job = make_job(folder, "quick")
    with start_elsewhere(job) as bot:
        bot.stdout.readline()
        bot.send_signal(signal.SIGKILL)
    assert wait(lambda: (now := runner.state(job)).phase == "finished" and now)
    assert runner.result(job).run_id == "run-1"


def test_a_killed_child_is_lost_and_may_be_started_again(runner, folder):
    job = make_job(folder)
    runner.start(job)
    victim = wait(lambda: processes_of(folder) and list(folder.glob("started-*")) and processes_of(folder)[0])
    victim.kill()
    assert wait(lambda: (now := runner.state(job)).phase != "running" and now).phase == "lost"
    runner.start(job)
    assert wait(lambda: runner.state(job).phase == "running")
    runner.cancel(job)


def test_a_process_id_that_was_given_to_somebody_else_is_left_alone(runner, folder):
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    folder.mkdir(parents=True)
    (folder / "process.pid").write_text(str(bystander.pid))
    job = make_job(folder)
    assert runner.state(job).phase == "lost"
    runner.cancel(job)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_child_that_ignores_sigterm_is_killed_with_all_that_it_started(runner, folder, monkeypatch):
    monkeypatch.setattr("bot.clients.runners.process.TERM_SECONDS", 0.5)
    job = make_job(folder, "stubborn")
    runner.start(job)
    (leader,) = wait(lambda: list(folder.glob("started-*")) and processes_of(folder))
    children = wait(leader.children)
    runner.cancel(job)
    wait(lambda: not leader.is_running() or leader.status() == psutil.STATUS_ZOMBIE)
    wait(lambda: all(not child.is_running() or child.status() == psutil.STATUS_ZOMBIE for child in children))
    assert "cancelled" in runner.state(job).reason


def test_a_run_that_takes_too_long_is_stopped_and_says_what_to_write(runner, folder):
    job = make_job(folder, timeout_minutes=1)
    runner.start(job)
    wait(lambda: runner.state(job).progress)
    two_minutes_ago = time.time() - 120
    os.utime(folder / "process.pid", (two_minutes_ago, two_minutes_ago))
    state = runner.state(job)
    assert state.phase == "failed"
    assert "`timeout_minutes`" in state.reason
    assert processes_of(folder) == []


def test_a_run_that_takes_too_much_memory_is_stopped_and_says_what_to_write(runner, folder):
    job = make_job(folder, "greedy", memory_limit_mb=100)
    runner.start(job)
    state = wait(lambda: (now := runner.state(job)).phase == "failed" and now)
    assert "`memory_limit_mb`" in state.reason
    with pytest.raises(Refused, match="memory_limit_mb"):
        runner.result(job)


def test_the_child_sees_none_of_the_bots_secrets(runner, folder, monkeypatch, local_place):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "not-for-the-child")
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-the-child")
    job = make_job(folder, "quick")
    fresh = local_place.again()
    fresh.start(job)
    wait(lambda: fresh.state(job).phase == "finished")
    seen = (folder / "environment.txt").read_text().split()
    assert "PATH" in seen
    assert not [name for name in seen if "TOKEN" in name or "KEY" in name]


def test_a_python_that_does_not_exist_is_told(folder):
    job = make_job(folder)
    runner = LocalRunner("/no/such/python", {"PATH": "/usr/bin:/bin"})
    runner.start(job)
    state = wait(lambda: (now := runner.state(job)).phase == "lost" and now)
    assert "/no/such/python" in state.reason


def test_an_image_is_refused(runner, folder):
    job = TrainingJob("run-1", "churn", "classification", "/d.csv", "y", "image:ours", str(folder))
    with pytest.raises(Refused, match="runner: kubernetes"):
        runner.start(job)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[]", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        ({"run_id": "another"}, "result of another run"),
        ({"model_file": "../../etc/passwd"}, "outside the folder"),
        ({"rows_train": "many"}, r"\$\.rows_train"),
    ],
)
def test_a_result_that_cannot_be_trusted_is_refused(runner, folder, content, sentence):
    job = make_job(folder, "quick")
    runner.start(job)
    wait(lambda: runner.state(job).phase == "finished")
    if isinstance(content, dict):
        content = json.dumps(json.loads((folder / "result.json").read_text()) | content).encode()
    (folder / "result.json").write_bytes(content)
    with pytest.raises(Refused, match=sentence):
        runner.result(job)


def test_the_real_trainer_trains_and_its_model_is_found(folder, tmp_path):
    rows = "".join(f"{age},{'ab'[age % 2]},{2 * age + age % 7}\n" for age in range(120))
    (tmp_path / "d.csv").write_text("age,kind,price\n" + rows)
    job = TrainingJob(
        run_id="run-1", model="price", problem="regression", data=str(tmp_path / "d.csv"), target="price",
        trainer="builtin", workdir=str(folder), search_candidates=2, folds=3,
    )  # fmt: skip
    runner = LocalRunner(sys.executable, training_environment())
    runner.start(job)
    assert wait(lambda: (now := runner.state(job)).phase != "running" and now, 90).phase == "finished"
    result = runner.result(job)
    assert result.metrics["r2"] > 0.9
    assert file_sha256(runner.artefacts(job) / result.model_file) == result.model_sha256
