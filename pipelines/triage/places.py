"""Where on GitHub something is said of failed runs, and what was said there last."""

from dataclasses import dataclass

from pipelines.triage.history import PlaceKind, Reported


@dataclass(frozen=True, slots=True)
class GithubPlace:
    """A pull request (`number`), a commit (`sha`), or the issue of one failure (`series` and `sameness`)."""

    kind: PlaceKind
    repository: str
    number: int = 0
    sha: str = ""
    series: str = ""
    sameness: str = ""

    @property
    def key(self) -> str:
        if self.kind == "pull request":
            return f"{self.repository.lower()} pull request {self.number}"
        if self.kind == "commit":
            return f"{self.repository.lower()} commit {self.sha}"
        return f"{self.repository.lower()} issue {self.series} {self.sameness}"


@dataclass(frozen=True, slots=True)
class Said:
    """`state` tells what the text says apart from what it said before; it is compared, and not shown."""

    state: str
    url: str = ""


def places_of(reported: Reported) -> tuple[GithubPlace, ...]:
    facts = reported.triaged.facts
    of_kind = {
        "pull request": GithubPlace("pull request", facts.repository, number=facts.pull_request),
        "commit": GithubPlace("commit", facts.repository, sha=facts.sha),
        "issue": GithubPlace("issue", facts.repository, series=reported.series, sameness=reported.sameness),
    }
    return tuple(of_kind[kind] for kind in reported.speaks)
