"""Who hears of a failed run that nobody asked about: by the catalogue's rules, and quiet where they say nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pipelines.triage.heard import Heard
from pipelines.triage.history import Severity
from pipelines.triage.severity import LEVELS


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is wanted of the repositories that match `repository`; patterns are those of a shell, * and ?.

    No `branches` stands for the default branch alone, no `workflows` and no `authors` for all of them. A workflow is
    named by its name or its file. `severity` is the least that is told.
    """

    repository: str
    branches: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    severity: Severity = "low"
    channel: str = ""
    comments: bool = True
    issues: bool = True


@dataclass(frozen=True, slots=True)
class CiTeam:
    """Who cares for failures of these kinds. `mention` is a user id, an e-mail address, "@handle" or a group's id."""

    name: str
    kinds: frozenset[str]
    channel: str = ""
    mention: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    channel: str
    mention: str = ""


@dataclass(frozen=True, slots=True)
class CiRules:
    """`channel` is where failures go that no team takes; empty for nowhere."""

    channel: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    teams: tuple[CiTeam, ...] = ()

    def subscription(self, repository: str) -> Subscription | None:
        """The first that matches, as they stand in the catalogue."""
        return next((one for one in self.subscriptions if _fits(repository, [one.repository])), None)

    def wanted(self, run: Heard) -> bool:
        """Whether anything could follow from this failure, before GitHub is asked about it."""
        wish = self.subscription(run.reference.repository)
        if wish is None:
            return run.on_default_branch or run.of_pull_request or not run.branch
        if _fits(run.actor, wish.not_authors) or (wish.authors and not _fits(run.actor, wish.authors)):
            return False
        names = [run.workflow, run.workflow_path, run.workflow_path.rpartition("/")[2]]
        if wish.workflows and not any(_fits(name, wish.workflows) for name in names if name):
            return False
        return self._branch_told(run) or run.of_pull_request or (wish.issues and run.on_default_branch)

    def destinations(self, run: Heard, kinds: Iterable[str], severity: Severity) -> tuple[Destination, ...]:
        """Channels in Slack: those of the teams that care for one of `kinds`, else the one for all."""
        wish = self.subscription(run.reference.repository)
        if not self._branch_told(run) or (wish and _below(severity, wish)):
            return ()
        rest = (wish.channel if wish else "") or self.channel
        asked = set(kinds)
        teams = [Destination(team.channel or rest, team.mention) for team in self.teams if team.kinds & asked]
        found = {one.channel: one for one in reversed(teams or [Destination(rest)]) if one.channel}
        return tuple(found.values())[::-1]

    def comments(self, run: Heard, severity: Severity) -> bool:
        """Whether GitHub gets a comment: at a pull request always, at a commit where its branch is asked for."""
        wish = self.subscription(run.reference.repository)
        if wish is None:
            return run.of_pull_request
        told = run.of_pull_request or (self._branch_told(run) and not run.on_default_branch)
        return wish.comments and told and not _below(severity, wish)

    def issues(self, run: Heard, severity: Severity) -> bool:
        """Only where the repository is in the catalogue, and only of its default branch."""
        wish = self.subscription(run.reference.repository)
        return wish is not None and wish.issues and run.on_default_branch and not _below(severity, wish)

    def _branch_told(self, run: Heard) -> bool:
        wish = self.subscription(run.reference.repository)
        if wish is None or not wish.branches:
            return run.on_default_branch
        return _fits(run.branch, wish.branches)


def _below(severity: Severity, wish: Subscription) -> bool:
    return LEVELS.index(severity) < LEVELS.index(wish.severity)


def _fits(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns)
