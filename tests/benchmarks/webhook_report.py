"""From GitHub's webhook to the report in Slack, for a log of 10 MB and without a language model.

    .venv/bin/python tests/benchmarks/webhook_report.py

GitHub and Slack are the sandboxes in this process; the bot is a process of its own. A run is told of when the report of
the one before stands in the channel. Every run fails in another test, so that none is taken for one that is known.
"""

import argparse
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bot_process import prepare, running, wait_until_it_answers
from gather_run import log_of

from bot.app import registered_manifest
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

REPOSITORY, SECRET = "ours/models", "a-secret"
PATIENCE_SECONDS = 120


def main() -> None:
    """Print the row of the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--megabytes", type=float, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        seconds = sorted(measured(Path(name), asked.runs, asked.megabytes))
    worst = seconds[max(0, -(-len(seconds) * 95 // 100) - 1)]
    sys.stdout.write("| log | runs | p50 s | p95 s | slowest s |\n|---|---|---|---|---|\n")
    sys.stdout.write(
        f"| {asked.megabytes:g} MB | {len(seconds)} | {statistics.median(seconds):.2f} | {worst:.2f}"
        f" | {seconds[-1]:.2f} |\n"
    )


def measured(folder: Path, runs: int, megabytes: float) -> list[float]:
    prepare(folder)
    slack = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    github = GithubSandbox(REPOSITORY, "a-token", [Workflow("ci.yml", name="ci")], folder=folder / "github")
    slack.start()
    github.start()
    payloads = [failed(github, number, megabytes) for number in range(runs)]
    port = free_port()
    settings = {
        "SHIPMATE_GITHUB_API_URL": github.url, "GITHUB_TOKEN": "a-token", "SHIPMATE_GITHUB_REPOSITORY": REPOSITORY,
        "SHIPMATE_GITHUB_WEBHOOK_SECRET": SECRET, "SHIPMATE_HTTP_PORT": str(port),
    }  # fmt: skip
    try:
        with running(folder, slack, more=settings):
            wait_until_it_answers(Workspace(slack.url))
            hook = github.world.hooks.add(f"http://127.0.0.1:{port}/webhooks/github", SECRET, ["workflow_run"])
            return [reported(slack, github, hook, payload) for payload in payloads]
    finally:
        github.stop()
        slack.stop()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def failed(github: GithubSandbox, number: int, megabytes: float) -> dict[str, Any]:
    """Record a run with such a log; what GitHub would tell of it."""
    hook = github.world.hooks.add("http://127.0.0.1:9/nobody", SECRET, ["workflow_run"])
    sha = github.world.git.commit_files("main", {"a.py": str(number).encode()}, "work", "ben")
    job = Job("test", (Step("Run pytest", "failure", "x", 3),))
    run = github.actions.record(Order("ci.yml", "main", sha, "work"), [job])
    (told,) = github.actions.found(run)["attempts"][0]["jobs"]
    word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    line = f"\n2026-11-25T21:20:05.0000000Z FAILED tests/test_{word}.py::test_{word} - AssertionError: {word}\n"
    log = log_of(megabytes, number, failed=True)
    verdict = log.rindex(b"\n")
    github.world.store.put_blob(told["log"], log[:verdict] + line.encode() + log[verdict + 1 :])
    github.world.hooks.settled()
    newest = github.world.hooks.deliveries(hook["id"])[0]
    github.world.store.remove("hook", hook["id"])
    payload: dict[str, Any] = newest["request"]["payload"]
    return payload


def reported(slack: SlackSandbox, github: GithubSandbox, hook: dict[str, Any], payload: dict[str, Any]) -> float:
    """Seconds from the webhook to one more report in #ci, where after five of them the others go into a thread."""
    space = Workspace(slack.url)
    ben = space.person("ben")

    def reports() -> int:
        posted = [seen for seen in space.messages("#ci", as_=ben) if "failed on" in seen.plain]
        inside = [reply for seen in posted for reply in space.thread(seen, as_=ben) if "failed on" in reply.plain]
        return len({(seen.channel, seen.ts) for seen in posted + inside})

    before = reports()
    began = time.perf_counter()
    github.world.hooks.send(hook, "workflow_run", payload)
    space.wait_until(lambda: reports() > before, PATIENCE_SECONDS)
    took = time.perf_counter() - began
    space.close()
    return took


if __name__ == "__main__":
    main()
