"""Keeps CiVoice. Each text carries its key in a hidden line, by which it is found again."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from bot.clients.github.connection import Connection
from pipelines.errors import Refused
from pipelines.triage.values import CommentPlace, Written

if TYPE_CHECKING:
    from github.Issue import Issue

TEXT_LIMIT = 65_000  # GitHub takes 65,536 characters
TITLE_LIMIT = 250
LABEL = "ci-failure"
LOOKED_THROUGH = 1_000
CUT = "\n\n… cut here: GitHub takes no longer comments."


class GithubVoice:
    """`redact` sees every text before it leaves; `label` is on all our issues of one kind, and finds them again."""

    def __init__(self, connection: Connection, redact: Callable[[str], str], label: str = LABEL) -> None:
        self._connection = connection
        self._redact = redact
        self._label = label

    def comment(self, place: CommentPlace, key: str, text: str) -> Written:
        body = self._body(key, text)
        where = f"pull request {place.pull_request}" if place.pull_request else f"commit {place.sha[:12]}"
        found = self._comments(place, key, where)
        if not found:
            self._connection.write(f"a comment on {where}", lambda: self._target(place).create_comment(body))
            # Somebody of ours may have written at the same moment: the first one stays.
            found = self._comments(place, key, where)
            for extra in found[1:]:
                with suppress(Refused):  # gone already: the other one of us was faster
                    self._connection.write(f"a comment on {where}", extra.delete)
            if not found:
                raise Refused(f"GitHub took a comment on {where} and does not show it. Look there, then try again.")
            return self._settle(found[0], body, where, new=True)
        return self._settle(found[0], body, where, new=False)

    def open_issue(
        self, repository: str, key: str, title: str, text: str, labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
    ) -> Written:  # fmt: skip
        body, named = self._body(key, text), self._redact(title).replace("\n", " ")[:TITLE_LIMIT]
        found = self._issues(repository, key)
        if not found:
            wanted = [self._label, *labels]
            created = self._connection.write(
                f"a new issue in {repository}",
                lambda: self._connection.repository(repository).create_issue(
                    named, body, labels=wanted, assignees=list(assignees)
                ),
            )
            found = self._issues(repository, key) or [created]
            for extra in found[1:]:
                self._connection.write(f"issue {extra.number}", partial(_close, extra, "not_planned"))
            return Written(found[0].html_url, changed=True, number=found[0].number)
        issue = found[0]
        changed = issue.body != body or issue.title != named or issue.state != "open"
        if changed:
            self._connection.write(
                f"issue {issue.number} in {repository}", lambda: issue.edit(title=named, body=body, state="open")
            )
        return Written(issue.html_url, changed, issue.number)

    def close_issue(self, repository: str, key: str, text: str) -> Written | None:
        found = [issue for issue in self._issues(repository, key) if issue.state == "open"]
        if not found:
            return None
        issue = found[0]
        if text:
            # Looked for first, by these very words: whoever said them may have been killed before the issue was closed.
            self.comment(CommentPlace(repository, issue.number), f"{key}:closed:{text}", text)
        self._connection.write(f"issue {issue.number} in {repository}", lambda: _close(issue, "completed"))
        return Written(issue.html_url, changed=True, number=issue.number)

    def _settle(self, comment: Any, body: str, where: str, new: bool) -> Written:
        changed = comment.body != body
        if changed:
            self._connection.write(f"the comment on {where}", lambda: comment.edit(body))
        return Written(comment.html_url, changed or new, comment.id)

    def _comments(self, place: CommentPlace, key: str, where: str) -> list[Any]:
        """Ours under this key, the oldest first; PyGithub has no common type for the two kinds."""
        listed: list[Any] = self._connection.read(
            f"comments on {where}", lambda: list(islice(self._target(place).get_comments(), LOOKED_THROUGH))
        )
        return sorted(self._ours(listed, key), key=lambda comment: comment.id)

    def _issues(self, repository: str, key: str) -> "list[Issue]":
        """By the list and not by the search, which learns of new issues after a while only."""

        def ask() -> "list[Issue]":
            listed = self._connection.repository(repository).get_issues(state="all", labels=[self._label])
            return [issue for issue in islice(listed, LOOKED_THROUGH) if issue.pull_request is None]

        found = self._connection.read(f"issues in {repository}", ask)
        return sorted(self._ours(found, key), key=lambda issue: issue.number)

    def _ours(self, found: Iterable[Any], key: str) -> list[Any]:
        """What somebody else wrote with our line in it is theirs: it is neither edited nor believed.

        An app may not ask who it is; there it has to be a bot's.
        """
        login, marker = self._connection.login(), _marker(key)
        return [
            one for one in found
            if (one.body or "").startswith(marker) and one.user
            and (one.user.login == login if login else one.user.type == "Bot")
        ]  # fmt: skip

    def _target(self, place: CommentPlace) -> Any:
        repository = self._connection.repository(place.repository)
        if place.pull_request:
            return repository.get_issue(place.pull_request)
        return repository.get_commit(place.sha)

    def _body(self, key: str, text: str) -> str:
        said = self._redact(text)
        kept = said if len(said) <= TEXT_LIMIT else said[: TEXT_LIMIT - len(CUT)] + CUT
        # GitHub takes line ends of either kind and gives back one of them.
        return f"{_marker(key)}\n{kept}".replace("\r\n", "\n").rstrip()


def _close(issue: "Issue", reason: str) -> None:
    issue.edit(state="closed", state_reason=reason)


def _marker(key: str) -> str:
    """A key may be any text; what stands in the comment says nothing and ends nothing early."""
    return f"<!-- shipmate:{hashlib.sha256(key.encode()).hexdigest()[:24]} -->"
