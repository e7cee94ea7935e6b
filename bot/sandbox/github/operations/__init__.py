"""Importing this package registers every operation of the API."""

from bot.sandbox.github.operations import (
    checks,
    comments,
    commits,
    contents,
    git_data,
    hooks,
    issues,
    jobs,
    pulls,
    repository,
    reviews,
    runs,
    workflows,
)

__all__ = [
    "checks", "comments", "commits", "contents", "git_data", "hooks", "issues", "jobs", "pulls", "repository",
    "reviews", "runs", "workflows",
]  # fmt: skip
