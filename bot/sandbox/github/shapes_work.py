"""How issues, pull requests, comments, reviews and hooks look in an answer."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.github.answers import Document
from bot.sandbox.github.shapes import Shapes, node_id

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


@dataclass(frozen=True)
class Work:
    """Draws documents of the store; `shapes` draws the people and links in them."""

    shapes: Shapes

    def issue(self, issue: Document, comments: int) -> Document:
        url, html = f"{self.shapes.api}/issues/{issue['number']}", self._html(issue)
        people = [self.shapes.user(login) for login in issue["assignees"]]
        found: Document = {
            **self._common(issue), "url": url, "html_url": html, "repository_url": self.shapes.api,
            "labels_url": f"{url}/labels{{/name}}", "comments_url": f"{url}/comments", "events_url": f"{url}/events",
            "timeline_url": f"{url}/timeline", "comments": comments, "assignee": people[0] if people else None,
            "assignees": people, "state_reason": issue["state_reason"], "performed_via_github_app": None,
            "reactions": self._reactions(url),
        }  # fmt: skip
        if issue.get("pull"):
            pull = f"{self.shapes.api}/pulls/{issue['number']}"
            links = {"url": pull, "html_url": html, "diff_url": f"{html}.diff", "patch_url": f"{html}.patch"}
            found["pull_request"] = links | {"merged_at": issue["pull"]["merged_at"]}
        return found

    def pull(self, issue: Document, head_sha: str, base_sha: str) -> Document:
        """What every answer about a pull request tells."""
        url, html, pull = f"{self.shapes.api}/pulls/{issue['number']}", self._html(issue), issue["pull"]
        issue_url = f"{self.shapes.api}/issues/{issue['number']}"
        statuses = f"{self.shapes.api}/statuses/{head_sha}"
        links = {
            "self": url, "html": html, "issue": issue_url, "comments": f"{issue_url}/comments",
            "review_comments": f"{url}/comments", "review_comment": f"{self.shapes.api}/pulls/comments{{/number}}",
            "commits": f"{url}/commits", "statuses": statuses,
        }  # fmt: skip
        people = [self.shapes.user(login) for login in issue["assignees"]]
        return {
            **self._common(issue), "url": url, "html_url": html, "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch", "issue_url": issue_url, "comments_url": links["comments"],
            "commits_url": links["commits"], "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"], "statuses_url": statuses,
            "assignee": people[0] if people else None, "assignees": people, "requested_reviewers": [],
            "requested_teams": [], "draft": pull["draft"], "merged_at": pull["merged_at"],
            "merge_commit_sha": pull["merge_sha"], "auto_merge": None,
            "head": self._branch(pull["head"], head_sha, pull.get("fork", "")),
            "base": self._branch(pull["base"], base_sha),
            "_links": {name: {"href": href} for name, href in links.items()},
        }  # fmt: skip

    def full_pull(self, issue: Document, head_sha: str, base_sha: str, counts: dict[str, int]) -> Document:
        """`counts` are additions, deletions, changed_files, commits, comments and whether it can be merged."""
        pull, mergeable = issue["pull"], bool(counts.pop("mergeable"))
        merged_by = self.shapes.user(pull["merged_by"]) if pull["merged_by"] else None
        return self.pull(issue, head_sha, base_sha) | counts | {
            "merged": bool(pull["merged_at"]), "merged_by": merged_by, "rebaseable": mergeable,
            "mergeable": mergeable if issue["state"] == "open" else None, "review_comments": 0,
            "mergeable_state": "clean" if mergeable else "dirty", "maintainer_can_modify": False,
        }  # fmt: skip

    def pull_reference(self, issue: Document, head_sha: str, base_sha: str) -> Document:
        """The few words that a run says of its pull request."""
        pull, repository = issue["pull"], self.shapes.repository_reference()
        return {
            "id": issue["id"], "number": issue["number"], "url": f"{self.shapes.api}/pulls/{issue['number']}",
            "head": {"ref": pull["head"], "sha": head_sha, "repo": repository},
            "base": {"ref": pull["base"], "sha": base_sha, "repo": repository},
        }  # fmt: skip

    def issue_comment(self, comment: Document, issue: Document) -> Document:
        url = f"{self.shapes.api}/issues/comments/{comment['id']}"
        return {
            "id": comment["id"], "node_id": node_id("IssueComment", comment["id"]), "url": url,
            "html_url": f"{self._html(issue)}#issuecomment-{comment['id']}",
            "issue_url": f"{self.shapes.api}/issues/{issue['number']}", "body": comment["body"],
            "performed_via_github_app": None, **self._written(comment), "reactions": self._reactions(url),
        }  # fmt: skip

    def commit_comment(self, comment: Document) -> Document:
        url = f"{self.shapes.api}/comments/{comment['id']}"
        return {
            "id": comment["id"], "node_id": node_id("CommitComment", comment["id"]), "url": url,
            "html_url": f"{self.shapes.html}/commit/{comment['sha']}#commitcomment-{comment['id']}",
            "commit_id": comment["sha"], "body": comment["body"], "path": comment.get("path"),
            "position": comment.get("position"), "line": comment.get("line"), **self._written(comment),
            "reactions": self._reactions(url),
        }  # fmt: skip

    def review(self, review: Document, issue: Document) -> Document:
        html = f"{self._html(issue)}#pullrequestreview-{review['id']}"
        pull = f"{self.shapes.api}/pulls/{issue['number']}"
        return {
            "id": review["id"], "node_id": node_id("Review", review["id"]), "user": self.shapes.user(review["user"]),
            "body": review["body"], "state": review["state"], "html_url": html, "pull_request_url": pull,
            "commit_id": review["sha"], "submitted_at": review["created_at"], "author_association": "MEMBER",
            "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        }  # fmt: skip

    def hook(self, hook: Document) -> Document:
        url = f"{self.shapes.api}/hooks/{hook['id']}"
        config = hook["config"] | ({"secret": "********"} if hook["config"].get("secret") else {})
        return {
            "type": "Repository", "id": hook["id"], "name": "web", "active": hook["active"], "events": hook["events"],
            "config": config, "url": url, "test_url": f"{url}/test", "ping_url": f"{url}/pings",
            "deliveries_url": f"{url}/deliveries", "last_response": hook["last_response"],
            "created_at": hook["created_at"], "updated_at": hook["updated_at"],
        }  # fmt: skip

    def delivery(self, delivery: Document) -> Document:
        names = (
            "id", "guid", "delivered_at", "redelivery", "duration", "status", "status_code", "event", "action",
        )  # fmt: skip
        more = {"installation_id": None, "repository_id": self.shapes.repository_id, "throttled_at": None}
        return {name: delivery[name] for name in names} | more

    def full_delivery(self, delivery: Document) -> Document:
        spoken: dict[str, Any] = {"request": delivery["request"], "response": delivery["response"]}
        return self.delivery(delivery) | {"url": delivery["url"]} | spoken

    def _common(self, issue: Document) -> Document:
        kind = "PullRequest" if issue.get("pull") else "Issue"
        return {
            "id": issue["id"], "node_id": node_id(kind, issue["id"]), "number": issue["number"],
            "title": issue["title"], "body": issue["body"], "user": self.shapes.user(issue["user"]),
            "state": issue["state"], "locked": False, "active_lock_reason": None, "milestone": None,
            "labels": [self.shapes.label(label) for label in issue["labels"]], "author_association": "MEMBER",
            "created_at": issue["created_at"], "updated_at": issue["updated_at"], "closed_at": issue["closed_at"],
        }  # fmt: skip

    def _branch(self, name: str, sha: str, fork: str = "") -> Document:
        shapes = self.shapes.fork(fork)
        owner = shapes.name.split("/")[0]
        repository = shapes.repository(shapes.created_at, 0) | {"fork": bool(fork)}
        return {
            "label": f"{owner}:{name}", "ref": name, "sha": sha, "user": self.shapes.user(owner), "repo": repository,
        }  # fmt: skip

    def _written(self, comment: Document) -> Document:
        return {
            "user": self.shapes.user(comment["user"]), "author_association": "MEMBER",
            "created_at": comment["created_at"], "updated_at": comment["updated_at"],
        }  # fmt: skip

    def _reactions(self, url: str) -> Document:
        return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(REACTIONS, 0)}

    def _html(self, issue: Document) -> str:
        return f"{self.shapes.html}/{'pull' if issue.get('pull') else 'issues'}/{issue['number']}"
