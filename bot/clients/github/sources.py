"""Keeps CiSources."""

from itertools import islice
from typing import TYPE_CHECKING

from bot.clients.github.connection import Connection, missing
from pipelines.triage.values import GONE, CiCommit, CiPullRequest, CiRun, Comparison, FileDiff

if TYPE_CHECKING:
    from collections.abc import Iterable

    from github.Commit import Commit
    from github.File import File
    from github.PullRequest import PullRequest
    from github.Repository import Repository

MOST_FILES = 60
MOST_COMMITS = 50
MOST_PULLS = 100  # that are looked through for that of a run
PATCH_LIMIT = 20_000
MESSAGE_LIMIT = 4_000
BODY_LIMIT = 10_000
FILE_LIMIT_BYTES = 1_000_000  # what the contents API itself hands out


class GithubSources:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def commit(self, repository: str, sha: str) -> CiCommit:
        def ask() -> CiCommit:
            found = self._connection.repository(repository).get_commit(sha)
            files = list(islice(found.files, MOST_FILES + 1))
            more = max(0, len(files) - MOST_FILES)
            return _commit(found, files[:MOST_FILES], more)

        return self._connection.read(f"commit {sha[:12]} in {repository}", ask)

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        def ask() -> Comparison:
            found = self._connection.repository(repository).compare(base, head)
            commits = list(islice(found.commits, MOST_COMMITS))
            return Comparison(
                base, head, found.html_url, tuple(_commit(commit, (), 0) for commit in commits),
                tuple(_file(file) for file in islice(found.files, MOST_FILES)),
                max(0, found.total_commits - len(commits)),
            )  # fmt: skip

        return self._connection.read(f"comparison of {base[:12]} and {head[:12]} in {repository}", ask)

    def file(self, repository: str, path: str, ref: str) -> bytes | None:
        # What a log names is not always a path of the repository, and never a way out of it.
        parts = path.split("/")
        if not path or path.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\\" in path:
            return None

        def ask() -> bytes | None:
            from github import GithubException

            try:
                found = self._connection.repository(repository).get_contents(path, ref=ref)
            except GithubException as error:
                if missing(error):
                    return None
                raise
            if isinstance(found, list) or found.size > FILE_LIMIT_BYTES or found.encoding != "base64":
                return None
            return found.decoded_content

        return self._connection.read(f"{path} in {repository}", ask)

    def pull_request(self, run: CiRun) -> CiPullRequest | None:
        """By the run's own word; of runs of forks GitHub says none, there it is looked for by head and commit."""

        def ask() -> CiPullRequest | None:
            repository = self._connection.repository(run.repository)
            if run.pull_requests:
                found: PullRequest | None = repository.get_pull(run.pull_requests[0])
            elif run.fork:
                found = _of_fork(repository, run)
            else:
                pulls = islice(repository.get_commit(run.sha).get_pulls(), MOST_PULLS)
                found = next((pull for pull in pulls if pull.state == "open" and pull.head.sha == run.sha), None)
            if found is None:
                return None
            head = found.head.repo
            return CiPullRequest(
                found.number, found.title, (found.body or "")[:BODY_LIMIT], found.user.login, found.html_url,
                found.head.ref, found.base.ref, head is None or head.full_name != found.base.repo.full_name,
            )  # fmt: skip

        return self._connection.read(f"pull request of run {run.id}", ask)

    def default_branch(self, repository: str) -> str:
        return self._connection.read(
            f"repository {repository}", lambda: str(self._connection.client.get_repo(repository).default_branch)
        )


def _of_fork(repository: "Repository", run: CiRun) -> "PullRequest | None":
    """The open one whose head is the commit of the run, or had it before a later push.

    The pull requests of a commit, which GitHub lists, are not those of forks.
    """
    owner, gone = run.fork.partition("/")[0], run.fork == GONE
    listed = repository.get_pulls(state="open") if gone else repository.get_pulls("open", head=f"{owner}:{run.branch}")
    pulls = [pull for pull in islice(listed, MOST_PULLS) if _head(pull).lower() == run.fork.lower()]
    if exact := next((pull for pull in pulls if pull.head.sha == run.sha), None):
        return exact
    moved = (pull for pull in pulls if any(one.sha == run.sha for one in islice(pull.get_commits(), MOST_COMMITS)))
    return None if gone else next(moved, None)


def _head(pull: "PullRequest") -> str:
    return pull.head.repo.full_name if pull.head.repo else GONE


def _commit(commit: "Commit", files: "Iterable[File]", more: int) -> CiCommit:
    inner = commit.commit
    author = commit.author.login if commit.author else inner.author.name
    return CiCommit(
        commit.sha, inner.message[:MESSAGE_LIMIT], author or "", commit.html_url, inner.committer.date,
        tuple(parent.sha for parent in commit.parents), tuple(_file(file) for file in files), more,
    )  # fmt: skip


def _file(file: "File") -> FileDiff:
    patch = file.patch or ""
    return FileDiff(
        file.filename, file.status, file.additions, file.deletions, patch[:PATCH_LIMIT], file.previous_filename or "",
        len(patch) > PATCH_LIMIT,
    )  # fmt: skip
