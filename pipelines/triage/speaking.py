"""Says on GitHub what failed: one comment a pull request or commit, one issue a failure of the default branch.

What is said follows from what the memory holds when it is this place's turn, not from the event that led here; so
events may come late, twice or in another order.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.triage.history import Passed, Reported
from pipelines.triage.places import GithubPlace, Said
from pipelines.triage.ports import CiVoice, Spoken, TriageSightings
from pipelines.triage.turns import Turns
from pipelines.triage.values import CommentPlace


@dataclass(frozen=True, slots=True)
class IssueText:
    title: str
    body: str


class GithubTexts(Protocol):
    """How it looks there: Markdown, in which nothing that a run said has an effect."""

    def comment(self, reports: Sequence[Reported]) -> str:
        """The newest report of each workflow, failed or passed since."""
        ...

    def issue(self, reports: Sequence[Reported]) -> IssueText:
        """All reports of one failure, oldest first, at least one."""
        ...

    def closing(self, passed: Passed) -> str: ...


@dataclass(frozen=True, slots=True)
class Speaking:
    sightings: TriageSightings
    spoken: Spoken
    voice: CiVoice
    texts: GithubTexts
    turns: Turns

    def speak(self, place: GithubPlace) -> None:
        """Bring what stands at this place up to date; silent where nothing is new."""
        with self.turns.one(place.key):
            reports = self.sightings.at_place(place)
            if reports and place.kind == "issue":
                self._issue(place, reports)
            elif reports:
                self._comment(place, reports)

    def _comment(self, place: GithubPlace, reports: Sequence[Reported]) -> None:
        newest = list({one.series: one for one in reports}.values())
        said = self.spoken.said(place.key)
        state = _digest(f"{one.series} {one.sameness} {_ended(one)}" for one in newest)
        if said is None and all(one.passed for one in newest):
            return  # it went away before anybody read of it
        if said is None or said.state != state:
            where = CommentPlace(place.repository, place.number or None, place.sha)
            written = self.voice.comment(where, place.key, self.texts.comment(newest))
            self.spoken.say(place.key, Said(state, written.url))

    def _issue(self, place: GithubPlace, reports: Sequence[Reported]) -> None:
        said, newest = self.spoken.said(place.key), reports[-1]
        open_ones = [one for one in reports if not one.passed]
        state = f"open {len(reports)}" if open_ones else "closed"
        if (said is None and not open_ones) or (said and said.state == state):
            return
        if open_ones:
            text = self.texts.issue(reports)
            written = self.voice.open_issue(place.repository, place.key, text.title, text.body)
            self.spoken.say(place.key, Said(state, written.url))
        elif newest.passed and said:
            self.voice.close_issue(place.repository, place.key, self.texts.closing(newest.passed))
            self.spoken.say(place.key, Said(state, said.url))


def _ended(reported: Reported) -> str:
    return ("flaky" if reported.passed.unchanged else "green") if reported.passed else "red"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:24]
