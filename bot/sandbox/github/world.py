"""The whole state of the sandbox and how it changes; every change of it is told by webhooks, as on GitHub."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox.github.actions import Actions, Run, Workflow
from bot.sandbox.github.answers import ApiError, Document, Listing, invalid, not_found
from bot.sandbox.github.downloads import Downloads
from bot.sandbox.github.faults import Faults
from bot.sandbox.github.git import BareRepository, FileChange
from bot.sandbox.github.hooks import Hooks
from bot.sandbox.github.runlogs import TIME
from bot.sandbox.github.shapes import Shapes
from bot.sandbox.github.shapes_runs import Runs
from bot.sandbox.github.shapes_work import Work
from bot.sandbox.github.store import Store

README = b"# %s\n"


class World:
    """One repository. `turn` is held while a request is answered, so that requests see whole states."""

    def __init__(
        self, folder: Path, name: str, workflows: tuple[Workflow, ...], run: Run | None, environment: dict[str, str],
        default_branch: str = "main",
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.turn = threading.RLock()
        self.store = Store(folder / "github.sqlite")
        self.git = BareRepository(folder / "repository.git")
        self.faults = Faults()
        self.hooks = Hooks(self.store, self.now)
        self.downloads = Downloads(self.store)
        self.actions = Actions(self.store, self.now, workflows, run, environment)
        self.default_branch = default_branch
        if self.git.resolve(default_branch) is None:
            owner, _, short = name.partition("/")
            self.git.commit_files(default_branch, {"README.md": README % short.encode()}, "Initial commit", owner)
        first = self.git.commits("-1", "--max-parents=0", default_branch)[0]
        self.shapes = Shapes("", name, first.committer["date"], default_branch)
        self.work = Work(self.shapes)
        self.drawn = Runs(self.shapes)

    def at(self, url: str) -> None:
        """From now on every link begins with this address."""
        created = datetime.fromisoformat(self.shapes.created_at).astimezone(UTC).strftime(TIME)
        self.shapes = Shapes(url, self.name, created, self.default_branch)
        self.work, self.drawn = Work(self.shapes), Runs(self.shapes)

    def now(self) -> str:
        return datetime.fromtimestamp(time.time(), UTC).strftime(TIME)

    # Looking

    def repository(self) -> Document:
        open_issues = len([issue for issue in self.store.all("issue") if issue["state"] == "open"])
        pushed = self.git.commit(self.default_branch).committer["date"]
        return self.shapes.repository(datetime.fromisoformat(pushed).astimezone(UTC).strftime(TIME), open_issues)

    def sha(self, name: str) -> str:
        """The commit behind a branch, tag or SHA; 422 where there is none, as GitHub answers for commits."""
        found = self.git.resolve(name)
        if found is None:
            raise ApiError(422, f"No commit found for SHA: {name}")
        return found

    def issue(self, number: int) -> Document:
        found = self.store.get("issue", number)
        if found is None:
            raise not_found()
        return found

    def pull(self, number: int) -> Document:
        found = self.issue(number)
        if not found.get("pull"):
            raise not_found()
        return found

    def pulls(self, state: str = "all") -> list[Document]:
        """Newest first."""
        found = [issue for issue in self.store.all("issue") if issue.get("pull")]
        return [issue for issue in found if state in ("all", issue["state"])][::-1]

    def comments(self, issue: int) -> list[Document]:
        return [one for one in self.store.all("comment") if one["issue"] == issue]

    def ends(self, issue: Document) -> tuple[str, str]:
        """The commits of a pull request's head and base; of a merged one as they were then."""
        pull = issue["pull"]
        head = self.git.resolve(head_ref(pull)) if not pull["merged_at"] else None
        return head or pull["head_sha"], self.git.resolve(f"refs/heads/{pull['base']}") or pull["base_sha"]

    def drawn_issue(self, issue: Document) -> Document:
        return self.work.issue(issue, len(self.comments(issue["number"])))

    def drawn_pull(self, issue: Document) -> Document:
        return self.work.pull(issue, *self.ends(issue))

    def full_pull(self, issue: Document) -> Document:
        head, base = self.ends(issue)
        fork = self.git.merge_base(base, head) or base
        changes = self.git.changes(fork, head)
        counts = {
            "additions": sum(change.additions for change in changes), "changed_files": len(changes),
            "deletions": sum(change.deletions for change in changes), "commits": self.git.count(f"{fork}..{head}"),
            "comments": len(self.comments(issue["number"])),
            "mergeable": int(self.git.merged_tree(base, head) is not None),
        }  # fmt: skip
        return self.work.full_pull(issue, head, base, counts)

    def pulls_of(self, branch: str, fork: str = "") -> list[Document]:
        """References to the open pull requests of a branch; GitHub tells none where the branch is of a fork."""
        pulls = [] if fork else self.pulls("open")
        found = [issue for issue in pulls if (issue["pull"]["head"], issue["pull"].get("fork", "")) == (branch, "")]
        return [self.work.pull_reference(issue, *self.ends(issue)) for issue in found]

    def drawn_run(self, run: Document, attempt: int = 0) -> Document:
        """Of the last attempt where no other is asked for."""
        number = attempt or len(run["attempts"])
        if not 1 <= number <= len(run["attempts"]):
            raise not_found()
        return self.drawn.run(
            run, number, self.git.commit(run["sha"]), self.pulls_of(run["branch"], run.get("fork", ""))
        )

    def checks(self, sha: str = "") -> list[Document]:
        """The check runs that were made by hand, and those of jobs."""
        own = self.store.all("check")
        jobs = [
            self.check_of_job(run, job)
            for run in self.actions.documents()[::-1] if sha in ("", run["sha"])
            for job in run["attempts"][-1]["jobs"]
        ]  # fmt: skip
        return [check for check in [*own, *jobs] if sha in ("", check["sha"])]

    def check_of_job(self, run: Document, job: Document) -> Document:
        html = f"{self.shapes.html}/actions/runs/{run['id']}/job/{job['id']}"
        return {
            "id": job["id"], "name": job["name"], "sha": run["sha"], "external_id": f"job-{job['id']}",
            "html_url": html, "details_url": html, "status": job["status"], "conclusion": job["conclusion"],
            "started_at": job["started_at"], "completed_at": job["completed_at"], "suite": run["suite"], "output": {},
            "annotations": job["annotations"], "branch": run["branch"], "fork": run.get("fork", ""),
        }  # fmt: skip

    def files(self, changes: list[FileChange], sha: str) -> Listing:
        return Listing(changes, lambda change: self.shapes.file(change, sha))

    # Changing

    def open_issue(self, title: str, body: str | None, actor: str, pull: Document | None = None) -> Document:
        now, number = self.now(), self.store.next_number("issue", 1)
        issue: Document = {
            "id": self.store.next_number("issue id", 2_500_000_001), "number": number, "title": title, "body": body,
            "user": actor, "state": "open", "state_reason": None, "labels": [], "assignees": [], "pull": pull,
            "created_at": now, "updated_at": now, "closed_at": None,
        }  # fmt: skip
        self.store.put("issue", number, issue)
        return issue

    def save_issue(self, issue: Document) -> Document:
        issue["updated_at"] = self.now()
        self.store.put("issue", issue["number"], issue)
        return issue

    def open_pull(
        self, title: str, body: str | None, head: str, base: str, actor: str, draft: bool = False
    ) -> Document:
        """`head` is OWNER:BRANCH where it is of a fork; see `push_to_fork`."""
        owner, _, name = head.rpartition(":")
        fork, head = (owner if owner != self.name.split("/")[0] else ""), name
        where = {"head": head, "fork": fork}
        head_sha, base_sha = self.git.resolve(head_ref(where)), self.git.resolve(f"refs/heads/{base}")
        if head_sha is None or base_sha is None:
            raise invalid("PullRequest", "head" if head_sha is None else "base", "invalid")
        if any(head_ref(one["pull"]) == head_ref(where) and one["pull"]["base"] == base for one in self.pulls("open")):
            owner = fork or self.name.split("/")[0]
            raise invalid("PullRequest", "head", "custom", f"A pull request already exists for {owner}:{head}.")
        if self.git.is_ancestor(head_sha, base_sha):
            raise invalid("PullRequest", "head", "custom", f"No commits between {base} and {head}")
        pull = {
            **where, "base": base, "head_sha": head_sha, "base_sha": base_sha, "draft": draft, "merged_at": None,
            "merged_by": None, "merge_sha": None,
        }  # fmt: skip
        issue = self.open_issue(title, body, actor, pull)
        self.tell_pull("opened", issue, actor)
        return issue

    def push_to_fork(self, owner: str, branch: str, files: dict[str, bytes | None], message: str) -> str:
        """A commit on a branch of a fork: we know it, as GitHub does, and none of our branches leads to it."""
        ref, passing = head_ref({"head": branch, "fork": owner}), f"of-{owner}-{branch}"
        start = self.git.resolve(ref) or self.default_branch
        sha = self.git.commit_files(passing, files, message, owner, start)
        self.git.update_ref(ref, sha)
        self.git.delete_ref(f"refs/heads/{passing}")
        return sha

    def pushed(self, ref: str, before: str, after: str, actor: str) -> None:
        """Tell that a ref has moved, and its pull request with it."""
        nothing = "0" * 40
        if before == after:
            return
        span = [f"{before}..{after}"] if before and after else ["-1", after] if after else []
        commits = self.git.commits("--reverse", *span) if span else []
        drawn = [self._pushed_commit(commit.sha) for commit in commits[-20:]]
        payload: Document = {
            "ref": ref, "before": before or nothing, "after": after or nothing, "created": not before,
            "deleted": not after, "forced": bool(before and after and not self.git.is_ancestor(before, after)),
            "base_ref": None, "compare": f"{self.shapes.html}/compare/{before[:12]}...{after[:12]}", "commits": drawn,
            "head_commit": drawn[-1] if drawn else None,
            "pusher": {"name": actor, "email": f"{actor}@users.noreply.example"},
        }  # fmt: skip
        self.tell("push", payload, actor)
        for issue in self.pulls("open"):
            if after and head_ref(issue["pull"]) == ref:
                issue["pull"]["head_sha"] = after
                self.save_issue(issue)
                if before:
                    self.tell_pull("synchronize", issue, actor, {"before": before, "after": after})

    def tell(self, event: str, payload: Document, actor: str) -> None:
        self.hooks.tell(event, payload | {"repository": self.repository(), "sender": self.shapes.user(actor)})

    def tell_issue(self, action: str, issue: Document, actor: str) -> None:
        self.tell("issues", {"action": action, "issue": self.drawn_issue(issue)}, actor)

    def tell_pull(self, action: str, issue: Document, actor: str, more: Document | None = None) -> None:
        payload = {"action": action, "number": issue["number"], "pull_request": self.full_pull(issue)}
        self.tell("pull_request", payload | (more or {}), actor)

    def tell_run(self, action: str, run: Document) -> None:
        """What a run's progress sounds like: the run, its jobs, and each job's check."""
        workflow = self.actions.workflow(run["file"])
        drawn = self.drawn.workflow(workflow.file, workflow.name or workflow.file)
        drawn_run = self.drawn_run(run)
        if action == "completed":
            for job in run["attempts"][-1]["jobs"]:
                if job["attempt"] != len(run["attempts"]):
                    continue
                self.tell("workflow_job", {"action": action, "workflow_job": self.drawn.job(run, job)}, run["actor"])
                check = self.check_of_job(run, job)
                shown = self.drawn.check_in_a_webhook(check, run["branch"], drawn_run["pull_requests"])
                self.tell("check_run", {"action": action, "check_run": shown}, run["actor"])
        payload = {"action": action, "workflow": drawn, "workflow_run": drawn_run}
        self.tell("workflow_run", payload, run["actor"])

    def _pushed_commit(self, sha: str) -> Document:
        commit = self.git.commit(sha)
        names: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
        for change in self.git.changes(commit.parents[0] if commit.parents else "", sha):
            names[change.status if change.status in names else "modified"].append(change.path)
        people = {
            role: {"name": who["name"], "email": who["email"], "username": who["name"]}
            for role, who in (("author", commit.author), ("committer", commit.committer))
        }
        return self.shapes.head_commit(commit) | people | names | {
            "distinct": True, "url": f"{self.shapes.html}/commit/{sha}",
        }  # fmt: skip

    def close(self) -> None:
        self.actions.close()
        self.store.close()


def head_ref(pull: Document) -> str:
    """Where the head of a pull request is kept."""
    fork = pull.get("fork", "")
    return f"refs/forks/{fork}/{pull['head']}" if fork else f"refs/heads/{pull['head']}"
