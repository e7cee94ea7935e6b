"""The digest's section on drift: what was looked at, what began and ended, and how it went on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.digest.parts import CHARTS, MOST_LINES, MOST_LINKS, counted, shortened
from pipelines.digest.values import Line, Point, Scope, Section, Trend
from pipelines.drift.episodes import Episode
from pipelines.drift.ports import Episodes
from pipelines.drift.trend import DriftTrend, Looks, thinned, trends

# Slack draws twenty points a line.
MOST_POINTS = 20
RECENT = 200


@dataclass(frozen=True, slots=True)
class DriftPart:
    """`link` leads from an episode to its message; it is empty where there is none.

    `ahead` is how far the clock of the records is ahead of that of digests: a day's digest tells of a day of records.
    """

    looks: Looks
    episodes: Episodes
    link: Callable[[Episode], str]
    ahead: Callable[[], timedelta] = timedelta
    name: str = "Drift"

    def between(self, after: datetime, until: datetime, scope: Scope) -> Section | None:
        ahead = self.ahead()
        after, until = after + ahead, until + ahead
        judged = [one for one in trends(self.looks.between(after, until)) if scope.concerns(one.model)]
        known = [
            episode
            for episode in self.episodes.recent(RECENT)
            if scope.concerns(episode.model)
            and episode.opened_at <= until
            and (episode.ended_at is None or episode.ended_at > after)
        ]
        if not judged and not known:
            return None
        opened = [episode for episode in known if episode.opened_at > after]
        closed = [episode for episode in known if episode.ended_at is not None and episode.ended_at <= until]
        lines = [self._line(episode, until, index) for index, episode in enumerate(_most_urgent_first(known))]
        lines += [_calm(one) for one in judged if one.model not in {episode.model for episode in known}]
        shown = tuple(lines[:MOST_LINES])
        charts = [chart for one in judged if (chart := _chart(one))]
        return Section(
            self.name, _summary(judged, opened, closed), shown, tuple(charts[:CHARTS]),
            news=bool(opened or closed or known), left_out=len(lines) - len(shown),
        )  # fmt: skip

    def _line(self, episode: Episode, until: datetime, index: int) -> Line:
        url = self.link(episode) if index < MOST_LINKS else ""
        if episode.ended_at is not None and episode.ended_at <= until:
            text = f"{episode.model}: {episode.found.kind} is gone after {counted(episode.seen, 'look')}"
            return Line(text, "good", url=url, when="ended", at=episode.ended_at)
        worst = next(iter(episode.found.report.affected), "")
        text = f"{episode.model}: {episode.found.kind}, {episode.urgency}{f'; worst: {worst}' if worst else ''}"
        return Line(shortened(text), "bad", url=url, when="since", at=episode.opened_at)


def _most_urgent_first(episodes: Sequence[Episode]) -> list[Episode]:
    return sorted(episodes, key=lambda episode: (not episode.open, episode.urgency, episode.opened_at))


def _summary(judged: Sequence[DriftTrend], opened: Sequence[Episode], closed: Sequence[Episode]) -> str:
    told = [f"{counted(len(judged), 'model')} judged"]
    told += [f"{counted(len(opened), 'episode')} opened"] if opened else []
    told += [f"{counted(len(closed), 'episode')} ended"] if closed else []
    moved = [one for one in judged if one.looks[-1].kind != "no drift" and one.looks[-1].worst]
    if moved:
        last = moved[0].looks[-1]
        told.append(f"worst is {last.worst} of {last.model}")
    return ", ".join(told) if len(told) > 1 else f"{told[0]}, nothing began or ended"


def _calm(one: DriftTrend) -> Line:
    last = one.looks[-1]
    state = "no drift" if last.kind == "no drift" else f"{last.kind}, too little to tell anybody"
    psi = f", largest PSI {last.psi:.2f}" if last.psi is not None else ""
    return Line(f"{one.model}: {state} in the last of {counted(len(one.looks), 'look')}{psi}")


def _chart(one: DriftTrend) -> Trend | None:
    looks = thinned([look for look in one.looks if look.psi is not None], MOST_POINTS)
    points = tuple(Point(f"{look.at:%m-%d %H:%M}", look.psi or 0.0) for look in looks)
    distinct = len({point.label for point in points}) == len(points)
    return Trend(one.model, "largest PSI", points, over="time") if len(points) > 1 and distinct else None
