"""How people, the repository and its code look in an answer. Every URL is one of the sandbox itself."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.github.answers import Document
from bot.sandbox.github.git import Commit, Entry, FileChange

# Ends of the URLs of a repository, by name; REST and webhooks both tell all of them.
REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}", "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads",
    "events_url": "/events", "forks_url": "/forks", "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
    "languages_url": "/languages", "merges_url": "/merges", "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags",
    "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}  # fmt: skip
USER_URLS = {
    "followers_url": "/followers", "following_url": "/following{/other_user}", "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}", "subscriptions_url": "/subscriptions", "organizations_url": "/orgs",
    "repos_url": "/repos", "events_url": "/events{/privacy}", "received_events_url": "/received_events",
}  # fmt: skip
COUNTS = ("forks", "forks_count", "watchers", "watchers_count", "stargazers_count")
UNVERIFIED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def node_id(kind: str, number: object) -> str:
    return base64.b64encode(f"{kind}{number}".encode()).decode()


def number_of(text: str) -> int:
    """An id that is always the same for a name."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16)


@dataclass(frozen=True)
class Shapes:
    """`base` is the sandbox's own address, `name` the repository's full name."""

    base: str
    name: str
    created_at: str
    default_branch: str = "main"

    def fork(self, owner: str) -> "Shapes":
        """The fork of this repository that belongs to `owner`; this repository itself without one."""
        return replace(self, name=f"{owner}/{self.name.split('/')[1]}") if owner else self

    @property
    def api(self) -> str:
        return f"{self.base}/repos/{self.name}"

    @property
    def html(self) -> str:
        return f"{self.base}/{self.name}"

    @property
    def repository_id(self) -> int:
        return number_of(self.name)

    def user(self, login: str) -> Document:
        number, url = number_of(login), f"{self.base}/users/{login}"
        kind = "Bot" if login.endswith("[bot]") else "Organization" if login == self.name.split("/")[0] else "User"
        return {
            "login": login, "id": number, "node_id": node_id("User", number), "gravatar_id": "", "url": url,
            "avatar_url": f"{self.base}/avatars/{number}", "html_url": f"{self.base}/{login}", "type": kind,
            "site_admin": False, **{name: url + end for name, end in USER_URLS.items()},
        }  # fmt: skip

    def profile(self, login: str) -> Document:
        nothing: Document = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location"))
        numbers = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
        dates = {"created_at": self.created_at, "updated_at": self.created_at}
        return self.user(login) | nothing | numbers | dates | {"name": login, "blog": ""}

    def minimal_repository(self) -> Document:
        owner, short = self.name.split("/")
        return {
            "id": self.repository_id, "node_id": node_id("Repository", self.name), "name": short,
            "full_name": self.name, "private": True, "owner": self.user(owner), "html_url": self.html, "url": self.api,
            "description": None, "fork": False, **{name: self.api + end for name, end in REPOSITORY_URLS.items()},
        }  # fmt: skip

    def repository(self, pushed_at: str, open_issues: int) -> Document:
        """All that a webhook tells of it."""
        host = self.base.partition("://")[2]
        return self.minimal_repository() | dict.fromkeys(COUNTS, 0) | {
            "default_branch": self.default_branch, "clone_url": f"{self.html}.git", "git_url": f"git://{host}/{self.name}.git",
            "ssh_url": f"git@{host}:{self.name}.git", "svn_url": self.html, "homepage": None, "language": "Python",
            "mirror_url": None, "license": None, "size": 100, "archived": False, "disabled": False,
            "has_issues": True, "has_projects": False, "has_wiki": False, "has_pages": False, "has_downloads": True,
            "has_discussions": False, "is_template": False, "topics": [], "visibility": "private",
            "open_issues": open_issues, "open_issues_count": open_issues, "web_commit_signoff_required": False,
            "custom_properties": {}, "allow_forking": False, "created_at": self.created_at, "updated_at": pushed_at,
            "pushed_at": pushed_at,
        }  # fmt: skip

    def full_repository(self, pushed_at: str, open_issues: int) -> Document:
        permissions = {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}
        more = {"network_count": 0, "subscribers_count": 1, "permissions": permissions, "allow_squash_merge": True}
        return self.repository(pushed_at, open_issues) | more

    def repository_reference(self) -> Document:
        return {"id": self.repository_id, "url": self.api, "name": self.name.split("/")[1]}

    # Code

    def commit(self, commit: Commit) -> Document:
        url = f"{self.api}/commits/{commit.sha}"
        return {
            "sha": commit.sha, "node_id": node_id("Commit", commit.sha), "url": url, "comments_url": f"{url}/comments",
            "html_url": f"{self.html}/commit/{commit.sha}",
            "author": self.user(_login(commit.author)), "committer": self.user(_login(commit.committer)),
            "parents": [self._parent(sha) for sha in commit.parents],
            "commit": {
                "url": f"{self.api}/git/commits/{commit.sha}", "author": dict(commit.author),
                "committer": dict(commit.committer), "message": commit.message, "comment_count": 0,
                "tree": self._tree_link(commit.tree), "verification": UNVERIFIED,
            },
        }  # fmt: skip

    def commit_with_files(self, commit: Commit, changes: list[FileChange], shown: list[FileChange]) -> Document:
        added, deleted = sum(one.additions for one in changes), sum(one.deletions for one in changes)
        stats = {"additions": added, "deletions": deleted, "total": added + deleted}
        return self.commit(commit) | {"stats": stats, "files": [self.file(one, commit.sha) for one in shown]}

    def git_commit(self, commit: Commit) -> Document:
        return {
            "sha": commit.sha, "node_id": node_id("Commit", commit.sha), "message": commit.message,
            "url": f"{self.api}/git/commits/{commit.sha}", "html_url": f"{self.html}/commit/{commit.sha}",
            "author": dict(commit.author), "committer": dict(commit.committer), "tree": self._tree_link(commit.tree),
            "parents": [self._parent(sha) for sha in commit.parents], "verification": UNVERIFIED,
        }  # fmt: skip

    def head_commit(self, commit: Commit) -> Document:
        people = {
            role: {"name": who["name"], "email": who["email"]}
            for role, who in (("author", commit.author), ("committer", commit.committer))
        }
        dated = {"id": commit.sha, "tree_id": commit.tree, "timestamp": commit.committer["date"]}
        return {"message": commit.message, **dated, **people}

    def file(self, change: FileChange, commit: str) -> Document:
        found: Document = {
            "sha": change.sha, "filename": change.path, "status": change.status, "additions": change.additions,
            "deletions": change.deletions, "changes": change.additions + change.deletions,
            "blob_url": f"{self.html}/blob/{commit}/{change.path}",
            "raw_url": f"{self.html}/raw/{commit}/{change.path}",
            "contents_url": f"{self.api}/contents/{change.path}?ref={commit}",
        }  # fmt: skip
        if change.patch:
            found["patch"] = change.patch
        if change.previous:
            found["previous_filename"] = change.previous
        return found

    def entry(self, entry: Entry, ref: str) -> Document:
        """One file or folder, as the contents API lists it."""
        path, blob = f"{self.api}/contents/{entry.path}?ref={ref}", entry.kind == "blob"
        git_url = f"{self.api}/git/{'blobs' if blob else 'trees'}/{entry.sha}"
        html = f"{self.html}/{'blob' if blob else 'tree'}/{ref}/{entry.path}"
        return {
            "name": entry.path.rpartition("/")[2], "path": entry.path, "sha": entry.sha, "size": entry.size or 0,
            "type": "file" if blob else "dir", "url": path, "git_url": git_url, "html_url": html,
            "download_url": f"{self.html}/raw/{ref}/{entry.path}" if blob else None,
            "_links": {"self": path, "git": git_url, "html": html},
        }  # fmt: skip

    def content(self, entry: Entry, ref: str, content: bytes) -> Document:
        return self.entry(entry, ref) | {"content": base64.encodebytes(content).decode(), "encoding": "base64"}

    def tree_entry(self, entry: Entry) -> Document:
        url = f"{self.api}/git/{'blobs' if entry.kind == 'blob' else 'trees'}/{entry.sha}"
        found: Document = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha, "url": url}
        return found | ({"size": entry.size} if entry.size is not None else {})

    def ref(self, ref: str, sha: str) -> Document:
        target = {"type": "commit", "sha": sha, "url": f"{self.api}/git/commits/{sha}"}
        return {"ref": ref, "node_id": node_id("Ref", ref), "url": f"{self.api}/git/{ref}", "object": target}

    def label(self, label: Mapping[str, Any]) -> Document:
        return {
            "id": number_of(f"label {label['name']}"), "node_id": node_id("Label", label["name"]),
            "url": f"{self.api}/labels/{label['name'].replace(' ', '%20')}", "name": label["name"],
            "description": label.get("description"), "color": label.get("color") or "ededed", "default": False,
        }  # fmt: skip

    def _parent(self, sha: str) -> Document:
        return {"sha": sha, "url": f"{self.api}/commits/{sha}", "html_url": f"{self.html}/commit/{sha}"}

    def _tree_link(self, sha: str) -> Document:
        return {"sha": sha, "url": f"{self.api}/git/trees/{sha}"}


def _login(person: Mapping[str, str]) -> str:
    return person["email"].partition("@")[0] if person["email"].endswith(".example") else person["name"]
