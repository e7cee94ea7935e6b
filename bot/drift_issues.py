"""Keeps Issues of drift with GitHub."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cards.drift_issue import issue_comment, issue_text, issue_title
from bot.clients.github import Connection, GithubVoice, connect
from bot.config import Settings
from bot.redaction import Redactor
from pipelines.drift.background import VersionRecord
from pipelines.drift.episodes import Episode, Happened
from pipelines.drift.ports import Opened
from pipelines.drift.values import IssuePlace
from pipelines.errors import Refused
from pipelines.triage.values import CommentPlace

LABEL = "model-drift"


@dataclass(frozen=True, slots=True)
class GithubIssues:
    voice: GithubVoice

    def open(self, place: IssuePlace, episode: Episode, versions: Sequence[VersionRecord]) -> Opened:
        key, title, text = _key(episode), issue_title(episode), issue_text(episode, versions)
        try:
            written = self.voice.open_issue(place.repository, key, title, text, place.labels, place.assignees)
        except Refused:
            if not place.assignees:
                raise
            # GitHub takes no issue at all when it does not know one of its assignees.
            written = self.voice.open_issue(place.repository, key, title, text, place.labels)
            return Opened(written.number, written.url, f"GitHub would not assign it to {', '.join(place.assignees)}.")
        return Opened(written.number, written.url)

    def comment(self, place: IssuePlace, number: int, episode: Episode, line: Happened) -> None:
        where = CommentPlace(place.repository, number)
        self.voice.comment(where, f"{_key(episode)}:{line.number}", issue_comment(episode, line))

    def close(self, place: IssuePlace, episode: Episode) -> None:
        self.voice.close_issue(place.repository, _key(episode), "")


def build_issues(settings: Settings, redactor: Redactor) -> GithubIssues | None:
    """None where there is no token."""
    if settings.github_token is None:
        return None
    token = settings.github_token.get_secret_value()
    connection = Connection(lambda: connect(token, settings.github_api_url))
    return GithubIssues(GithubVoice(connection, lambda text: redactor.redact(text).text, LABEL))


def _key(episode: Episode) -> str:
    return f"drift:{episode.id}"
