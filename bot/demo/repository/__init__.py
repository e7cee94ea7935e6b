"""The demo's model-source repository: a small churn model, its history, and changes that break it."""

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from bot.demo.repository.ci import DemoCi
from bot.demo.repository.tools import ACCESS_KEY, installed, read_yaml
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Order, Workflow

__all__ = ["KINDS", "REPOSITORY", "WORKFLOWS", "DemoRepository", "Kind", "Pushed"]

Kind = Literal[
    "test", "lint", "dependency", "bandit", "trivy", "training", "flaky", "gitleaks", "pip-audit", "manifest",
    "timeout",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
REPOSITORY = str(read_yaml("project.yaml")["repository"])
WORKFLOWS = (Workflow("ci.yml", name="ci"),)
NEEDS = {"test": "pytest", "flaky": "pytest", "lint": "ruff", "dependency": "pip"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """A broken change that is there now: its pull request and the run that failed."""

    kind: Kind
    branch: str
    sha: str
    pull_request: int
    run_id: int
    url: str


class DemoRepository:
    """`folder` keeps the runner's cache. One change is pushed at a time; the others wait."""

    def __init__(self, sandbox: GithubSandbox, folder: Path) -> None:
        self._world = sandbox.world
        self._url = sandbox.url
        self._cache = folder
        self._ci = DemoCi(sandbox.world.git)
        self._turn = threading.Lock()
        sandbox.actions.again = lambda run, _failed_only: self._ci.run(run["sha"], folder / str(run["id"]))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those whose tools are on this machine."""
        return tuple(kind for kind in KINDS if kind not in NEEDS or installed(NEEDS[kind]))

    def seed(self) -> None:
        """The history of main, each commit once: a folder of an earlier demo gets those that came later."""
        git = self._world.git
        known = {commit.message.splitlines()[0] for commit in git.commits("main")}
        for commit in read_yaml("project.yaml")["commits"]:
            if commit["message"] in known:
                continue
            at = datetime.now(UTC) - timedelta(days=commit["days_ago"])
            files = {path: content.encode() for path, content in commit["files"].items()}
            git.commit_files("main", files, commit["message"], commit["author"], date=at.isoformat(timespec="seconds"))

    def ensure_green(self) -> int:
        """The run of main's last commit, which goes well; it is done when it was not done before."""
        with self._turn:
            return self._green()

    def push_broken_change(self, kind: Kind) -> Pushed:
        """Commit a change that breaks something on a branch of its own, with a pull request, and let CI find out."""
        if kind not in self.kinds:
            raise ValueError(f"There is no change of the kind {kind} that this machine can run. Known: {self.kinds}")
        with self._turn:
            self._green()
            change = read_yaml("changes.yaml")[kind]
            branch = self._free_branch(change["branch"])
            sha = self._commit(change, branch)
            with self._world.turn:
                self._world.pushed(f"refs/heads/{branch}", "", sha, change["author"])
                issue = self._world.open_pull(change["title"], change["body"], branch, "main", change["author"])
            run = self._run(Order("ci.yml", branch, sha, change["title"], "pull_request", change["author"]))
            url = f"{self._url}/{self._world.name}/pull/{issue['number']}"
            return Pushed(kind, branch, sha, issue["number"], run, url)

    def push_next(self) -> Pushed:
        """The kinds in turn."""
        pushed = len(self._world.pulls())
        return self.push_broken_change(self.kinds[pushed % len(self.kinds)])

    def _green(self) -> int:
        sha = self._world.sha("main")
        for run in self._world.actions.documents("ci.yml"):
            if run["sha"] == sha and run["attempts"][-1]["conclusion"] == "success":
                return int(run["id"])
        commit = self._world.git.commit(sha)
        title = commit.message.splitlines()[0]
        return self._run(Order("ci.yml", "main", sha, title, "push", commit.author["name"]))

    def _run(self, order: Order) -> int:
        """Every run has a cold cache of its own, which its repetitions find warm."""
        number = self._world.actions.next_run()
        return self._world.actions.record(order, self._ci.run(order.sha, self._cache / str(number)), number=number)

    def _commit(self, change: Mapping[str, Any], branch: str) -> str:
        git = self._world.git
        added = {path: text.replace("{access key}", ACCESS_KEY) for path, text in change.get("new_files", {}).items()}
        files: dict[str, bytes | None] = {path: text.encode() for path, text in added.items()}
        for path, edits in change.get("files", {}).items():
            text = (git.read("main", path) or b"").decode()
            for before, after in edits:
                if text.count(before) != 1:
                    raise ValueError(f"{path} is not what the change {branch} was written for")
                text = text.replace(before, after)
            files[path] = text.encode()
        return git.commit_files(branch, files, f"{change['title']}\n\n{change['body']}", change["author"])

    def _free_branch(self, wanted: str) -> str:
        names = (wanted if number == 1 else f"{wanted}-{number}" for number in itertools.count(1))
        return next(name for name in names if self._world.git.resolve(f"refs/heads/{name}") is None)
