"""The section `ci` of shipmate.yaml: which failures of the CI are told, where, and to whom."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.catalogue.shapes import ChannelName, Entry, Name, Reference, channel_name
from pipelines.evidence.values import FailureKind
from pipelines.triage.history import Severity
from pipelines.triage.routing import CiRules, CiTeam, Subscription

CI_CHANNEL = "ci"
Kind = Literal[FailureKind, "flaky"]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
RepositoryPattern = Annotated[str, StringConstraints(pattern=r"^[\w.*?-]+/[\w.*?-]+$", max_length=140)]


class CiRepositoryEntry(Entry):
    branches: list[Pattern] = Field([], examples=['[main, "release/*"]'])
    """Branches whose failures are told in Slack; the default branch when left out. "*" is all of them."""
    authors: list[Pattern] = Field([], examples=['["ana", "ben"]'])
    """Only runs of these GitHub users; everybody's when left out."""
    not_authors: list[Pattern] = Field([], examples=['["dependabot*"]'])
    """No runs of these GitHub users."""
    workflows: list[Pattern] = Field([], examples=["[ci, nightly.yml]"])
    """Only these workflows and checks, by name or file; all of them when left out."""
    severity: Severity = Field("low", examples=["medium"])
    """The least that is told: low, medium, high or critical."""
    channel: ChannelName | None = Field(None, examples=['"#ml"'])
    """Where failures of this repository go that no team takes; that of the section when left out."""
    comments: bool = Field(default=True, examples=["true"])
    """Whether pull requests (and commits of the branches above) get a comment on GitHub."""
    issues: bool = Field(default=True, examples=["true"])
    """Whether a failure of the default branch becomes an issue on GitHub."""


class CiTeamEntry(Entry):
    kinds: list[Kind] = Field(min_length=1, examples=["[training, model validation]"])
    """The kinds of failure that this team cares for."""
    channel: ChannelName | None = Field(None, examples=['"#ml"'])
    """Where it reads them; that of the repository or of the section when left out."""
    mention: Reference | None = Field(None, examples=['"@security"'])
    """Whom to mention: a person of this file, a Slack user id or e-mail address, or a user group as "@handle"."""


class CiEntry(Entry):
    channel: ChannelName | None = Field(None, examples=['"#ci"'])
    """Where failures go that no team takes; #ci when left out, if that is under `channels`."""
    repositories: dict[RepositoryPattern, CiRepositoryEntry] = Field({}, examples=['{"shipyard/*": {}}'])
    """Repositories by owner/name, also with * and ?; the first that fits counts. Of the others only failures of the
    default branch are told, and pull requests get a comment on GitHub."""
    teams: dict[Name, CiTeamEntry] = Field({}, examples=["{security: {kinds: [secret, sast, sca]}}"])
    """Who cares for which kinds of failure."""


def ci_rules(entry: CiEntry, people: Mapping[str, str], channels: Collection[str]) -> CiRules:
    """`people` are Slack names by short name, `channels` those of the file without #."""
    written = entry.channel or (CI_CHANNEL if CI_CHANNEL in channels else "")
    return CiRules(
        channel_name(written) if written else "",
        tuple(
            Subscription(
                pattern, tuple(one.branches), tuple(one.authors), tuple(one.not_authors), tuple(one.workflows),
                one.severity, channel_name(one.channel) if one.channel else "", one.comments, one.issues,
            )
            for pattern, one in entry.repositories.items()
        ),
        tuple(
            CiTeam(
                name, frozenset(team.kinds), channel_name(team.channel) if team.channel else "",
                people.get(team.mention or "", team.mention or ""),
            )
            for name, team in entry.teams.items()
        ),
    )  # fmt: skip
