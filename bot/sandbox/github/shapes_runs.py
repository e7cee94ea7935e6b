"""How workflows, runs, jobs, checks and artifacts look in an answer."""

from dataclasses import dataclass

from bot.sandbox.github.answers import Document
from bot.sandbox.github.git import Commit
from bot.sandbox.github.shapes import Shapes, node_id, number_of

APP = "github-actions"


@dataclass(frozen=True)
class Runs:
    shapes: Shapes

    def workflow(self, file: str, name: str) -> Document:
        number, path = number_of(file), f".github/workflows/{file}"
        return {
            "id": number, "node_id": node_id("Workflow", number), "name": name, "path": path, "state": "active",
            "created_at": self.shapes.created_at, "updated_at": self.shapes.created_at,
            "url": f"{self.shapes.api}/actions/workflows/{number}", "html_url": f"{self.shapes.html}/blob/main/{path}",
            "badge_url": f"{self.shapes.html}/workflows/{name.replace(' ', '%20')}/badge.svg",
        }  # fmt: skip

    def run(self, run: Document, attempt: int, commit: Commit, pulls: list[Document]) -> Document:
        """One attempt of a run; attempts count from 1."""
        url, told = f"{self.shapes.api}/actions/runs/{run['id']}", run["attempts"][attempt - 1]
        workflow = number_of(run["file"])
        actor, repository = self.shapes.user(run["actor"]), self.shapes.minimal_repository()
        fork = run.get("fork", "")
        head = self.shapes.fork(fork).minimal_repository() | {"fork": bool(fork)}
        return {
            "id": run["id"], "node_id": node_id("WorkflowRun", run["id"]), "name": run["name"],
            "display_title": run["title"], "run_number": run["number"], "run_attempt": attempt, "event": run["event"],
            "status": told["status"], "conclusion": told["conclusion"], "head_branch": run["branch"],
            "head_sha": run["sha"], "path": f".github/workflows/{run['file']}", "workflow_id": workflow,
            "check_suite_id": run["suite"], "check_suite_node_id": node_id("CheckSuite", run["suite"]),
            "url": url, "html_url": f"{self.shapes.html}/actions/runs/{run['id']}", "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs", "artifacts_url": f"{url}/artifacts", "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun", "check_suite_url": f"{self.shapes.api}/check-suites/{run['suite']}",
            "workflow_url": f"{self.shapes.api}/actions/workflows/{workflow}",
            "previous_attempt_url": f"{url}/attempts/{attempt - 1}" if attempt > 1 else None,
            "created_at": run["created_at"], "updated_at": told["updated_at"], "run_started_at": told["started_at"],
            "actor": actor, "triggering_actor": actor, "pull_requests": pulls, "referenced_workflows": [],
            "head_commit": self.shapes.head_commit(commit), "repository": repository, "head_repository": head,
        }  # fmt: skip

    def job(self, run: Document, job: Document) -> Document:
        url = f"{self.shapes.api}/actions"
        return {
            "id": job["id"], "node_id": node_id("CheckRun", job["id"]), "run_id": run["id"],
            "run_url": f"{url}/runs/{run['id']}", "run_attempt": job["attempt"], "head_sha": run["sha"],
            "head_branch": run["branch"], "workflow_name": run["name"], "url": f"{url}/jobs/{job['id']}",
            "html_url": f"{self.shapes.html}/actions/runs/{run['id']}/job/{job['id']}", "name": job["name"],
            "status": job["status"], "conclusion": job["conclusion"], "created_at": job["started_at"],
            "started_at": job["started_at"], "completed_at": job["completed_at"], "steps": job["steps"],
            "check_run_url": f"{self.shapes.api}/check-runs/{job['id']}", "labels": ["ubuntu-24.04"],
            "runner_id": 1, "runner_name": "GitHub Actions 1", "runner_group_id": 2,
            "runner_group_name": "GitHub Actions",
        }  # fmt: skip

    def check(self, check: Document, pulls: list[Document]) -> Document:
        url = f"{self.shapes.api}/check-runs/{check['id']}"
        output = {name: check["output"].get(name) for name in ("title", "summary", "text")}
        return {
            "id": check["id"], "node_id": node_id("CheckRun", check["id"]), "name": check["name"],
            "head_sha": check["sha"], "external_id": check["external_id"], "url": url, "html_url": check["html_url"],
            "details_url": check["details_url"], "status": check["status"], "conclusion": check["conclusion"],
            "started_at": check["started_at"], "completed_at": check["completed_at"], "pull_requests": pulls,
            "check_suite": {"id": check["suite"]}, "app": self.app(),
            "output": output | {
                "annotations_count": len(check["annotations"]), "annotations_url": f"{url}/annotations",
            },
        }  # fmt: skip

    def check_in_a_webhook(self, check: Document, branch: str, pulls: list[Document]) -> Document:
        """There the suite is told whole."""
        suite = {
            "id": check["suite"], "node_id": node_id("CheckSuite", check["suite"]), "head_branch": branch,
            "head_sha": check["sha"], "status": check["status"], "conclusion": check["conclusion"],
            "url": f"{self.shapes.api}/check-suites/{check['suite']}", "before": None, "after": check["sha"],
            "pull_requests": pulls, "app": self.app(), "created_at": check["started_at"],
            "updated_at": check["completed_at"] or check["started_at"],
        }  # fmt: skip
        return self.check(check, pulls) | {"check_suite": suite}

    def annotation(self, annotation: Document, sha: str) -> Document:
        asked = {name: annotation.get(name) for name in ("title", "raw_details", "start_column", "end_column")}
        return asked | {
            "path": annotation["path"], "blob_href": f"{self.shapes.api}/contents/{annotation['path']}?ref={sha}",
            "start_line": annotation["start_line"], "end_line": annotation["end_line"],
            "annotation_level": annotation["annotation_level"], "message": annotation["message"],
        }  # fmt: skip

    def artifact(self, artifact: Document, run: Document) -> Document:
        url = f"{self.shapes.api}/actions/artifacts/{artifact['id']}"
        repository = self.shapes.repository_id
        return {
            "id": artifact["id"], "node_id": node_id("Artifact", artifact["id"]), "name": artifact["name"],
            "size_in_bytes": artifact["size"], "url": url, "archive_download_url": f"{url}/zip", "expired": False,
            "created_at": artifact["created_at"], "expires_at": artifact["expires_at"],
            "updated_at": artifact["created_at"], "digest": artifact["digest"],
            "workflow_run": {
                "id": run["id"], "repository_id": repository, "head_repository_id": repository,
                "head_branch": run["branch"], "head_sha": run["sha"],
            },
        }  # fmt: skip

    def app(self) -> Document:
        created = self.shapes.created_at
        return {
            "id": number_of(APP), "slug": APP, "node_id": node_id("App", APP), "owner": self.shapes.user("github"),
            "name": "GitHub Actions", "description": "Automate your workflow from idea to production",
            "external_url": f"{self.shapes.base}/features/actions", "html_url": f"{self.shapes.base}/apps/{APP}",
            "created_at": created, "updated_at": created, "events": [],
            "permissions": {"actions": "write", "checks": "write", "contents": "write", "metadata": "read"},
        }  # fmt: skip
