"""A small runner: does what the repository's own workflow file says, at a commit, and keeps what was printed."""

import io
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.demo.repository import tools
from bot.demo.repository.tools import Said
from bot.sandbox.github.actions import Annotation, Job, Step
from bot.sandbox.github.git import BareRepository

WORKFLOW = ".github/workflows/ci.yml"
STEP_SECONDS = 60.0
# How long a minute of `timeout-minutes` is here: who pushes a change that hangs wants to read of it soon.
MINUTE_SECONDS = 0.5
HOME = "/home/runner/work/churn/churn"
PYTHON = "/opt/hostedtoolcache/Python/3.11.14/x64/bin/python"
SCANNERS: Mapping[str, Callable[[Path], Said]] = {
    "bandit": tools.bandit, "trivy": tools.trivy, "gitleaks": tools.gitleaks, "pip-audit": tools.pip_audit,
    "kubeconform": tools.kubeconform,
}  # fmt: skip
ACTIONS = {
    "actions/checkout@v5": "08c6903cd8c0fde910a37f88322edcfb5dd907a8",
    "actions/setup-python@v6": "e797f83bcb11b83ae66e0230d6156d7c80228e7c",
}
IMAGE = """Current runner version: '2.329.0'
##[group]Runner Image Provisioner
Hosted Compute Agent
##[endgroup]
##[group]Operating System
Ubuntu
24.04.3
LTS
##[endgroup]
##[group]Runner Image
Image: ubuntu-24.04
Version: 20251112.124.1
##[endgroup]
Prepare workflow directory
Prepare all required actions
Getting action download info"""


class DemoCi:
    """Runs only the tools named in `_tool`, each as a process of its own with nothing of our environment."""

    def __init__(self, git: BareRepository, python: str = sys.executable) -> None:
        self._git = git
        self._python = python

    def run(self, sha: str, cache: Path) -> list[Job]:
        """All jobs at a commit. `cache` is what runs and their repetitions share, as a runner's tool cache."""
        cache.mkdir(parents=True, exist_ok=True)
        workflow: Any = YAML(typ="safe").load((self._git.read(sha, WORKFLOW) or b"").decode())
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder).resolve() / "churn"
            with tarfile.open(fileobj=io.BytesIO(self._git.archive(sha))) as archive:
                archive.extractall(tree, filter="data")
            return [self._job(name, job, tree, cache, sha) for name, job in workflow["jobs"].items()]

    def _job(self, name: str, job: Mapping[str, Any], tree: Path, cache: Path, sha: str) -> Job:
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        fetched = [f"Download action repository '{action}' (SHA:{ACTIONS[action]})" for action in used]
        steps = [Step("Set up job", log="\n".join([IMAGE, *fetched, f"Complete job name: {name}"]))]
        annotations: list[Annotation] = []
        for step in job["steps"]:
            title = step.get("name") or f"Run {step.get('uses') or step['run']}"
            if any(one.conclusion == "failure" for one in steps):
                steps.append(Step(title, "skipped", seconds=0))
            elif "uses" in step:
                steps.append(Step(title, log=_of_action(step["uses"], sha)))
            else:
                minutes = int(step.get("timeout-minutes", 0))
                steps.append(self._command(title, step["run"], tree, cache, annotations, minutes))
        steps.append(Step("Complete job", log="Cleaning up orphan processes"))
        return Job(name, tuple(steps), tuple(annotations))

    def _command(
        self, title: str, command: str, tree: Path, cache: Path, annotations: list[Annotation], minutes: int
    ) -> Step:  # fmt: skip
        began = time.monotonic()
        said = self._tool(shlex.split(command), tree, cache, minutes * MINUTE_SECONDS or STEP_SECONDS)
        seconds = minutes * 60 if said.timed_out else max(1, round(time.monotonic() - began))
        text = (
            said.text.replace(str(tree), HOME).replace(self._python, PYTHON).replace(str(cache), "/opt/hostedtoolcache")
        )
        header = f"##[group]Run {command}\n{command}\nshell: /usr/bin/bash -e {{0}}\n##[endgroup]"
        lines = [header, text.rstrip("\n")]
        if said.code:
            failed = f"Process completed with exit code {said.code}."
            if said.timed_out:
                failed = f"The action '{title}' has timed out after {minutes or 1} minutes."
            lines.append(f"##[error]{failed}")
            place = {"path": ".github", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
            annotations.append({**place, "message": failed, "title": ""})
        return Step(title, "failure" if said.code else "success", "\n".join(lines), seconds)

    def _tool(self, words: Sequence[str], tree: Path, cache: Path, seconds: float) -> Said:
        match words[0]:
            case scanner if scanner in SCANNERS:
                return SCANNERS[scanner](tree)
            case "docker":
                return tools.docker_build(tree)
            case "pip":
                return self._pip(words[1:], tree, cache)
            case "python":
                return self._process(words[1:], tree, cache, seconds)
            case "pytest":
                return self._module("pytest", [*words[1:], "-p", "no:cacheprovider"], tree, cache)
            case "ruff":
                return self._module("ruff", [*words[1:], "--no-cache"], tree, cache)
            case unknown:
                return Said(f"bash: line 1: {unknown}: command not found", 127)

    def _module(self, module: str, words: Sequence[str], tree: Path, cache: Path) -> Said:
        if not tools.installed(module):
            return Said(f"{module} is not installed on this machine; this step was passed over.")
        return self._process(["-m", module, *words], tree, cache)

    def _pip(self, words: Sequence[str], tree: Path, cache: Path) -> Said:
        """From the demo's own index, a folder of wheels, into a folder beside the tree."""
        index = cache / "index"
        if not index.is_dir():
            index.mkdir()
            tools.write_wheels(index)
        apart = ["--no-index", "--find-links", str(index), "--target", str(tree.parent / "site"), "--no-cache-dir"]
        quiet = ["--disable-pip-version-check", "--root-user-action", "ignore", "--no-color"]
        return self._module("pip", [*words, *apart, *quiet], tree, cache)

    def _process(self, words: Sequence[str], tree: Path, cache: Path, seconds: float = STEP_SECONDS) -> Said:
        environment = {
            "PATH": os.defpath, "HOME": str(cache), "CI": "true", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "RUNNER_TOOL_CACHE": str(cache), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        try:
            ended = subprocess.run(  # noqa: S603
                [self._python, *words], cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as hung:
            return Said((hung.output or b"").decode(errors="replace"), 1, timed_out=True)
        return Said(ended.stdout.decode(errors="replace"), ended.returncode)


def _of_action(action: str, sha: str) -> str:
    said = "Successfully set up CPython (3.11.14)"
    if action.startswith("actions/checkout"):
        said = f"Syncing repository: shipyard/churn\n[command]/usr/bin/git log -1 --format=%H\n{sha}"
    return f"##[group]Run {action}\n##[endgroup]\n{said}"
