"""The hours of one version of a model, summed by window."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.drift.windows import Tally, WindowProfile, added
from pipelines.profiles import Categories, Distribution, Numbers

HOUR = timedelta(hours=1)


class Past:
    """`hours` in any order, with gaps; `span` is the length of a window."""

    def __init__(self, hours: Sequence[WindowProfile], span: timedelta) -> None:
        ordered = sorted(hours, key=lambda window: window.hour)
        self._moments = [window.hour for window in ordered]
        self._tallies = [window.total for window in ordered]
        # A look asks for the same windows many times over, and adding them up is most of its work.
        self._sums: dict[tuple[int, int], Tally] = {}
        self.span = span

    def window(self, until: datetime) -> Tally:
        return self.between(until - self.span, until)

    def between(self, since: datetime, until: datetime) -> Tally:
        first, end = bisect_left(self._moments, since), bisect_left(self._moments, until)
        if (first, end) not in self._sums:
            self._sums[first, end] = added(self._tallies[first:end])
        return self._sums[first, end]

    def begun_by(self, moment: datetime) -> bool:
        return bool(self._moments) and self._moments[0] <= moment

    def latest(self, until: datetime, rows: int) -> Tally:
        """The newest hours of the window before `until`, as few of them as hold that many rows."""
        first, end = bisect_left(self._moments, until - self.span), bisect_left(self._moments, until)
        newest: list[Tally] = []
        for tally in reversed(self._tallies[first:end]):
            if tally.rows:
                newest.append(tally)
                if sum(tally.rows for tally in newest) >= rows:
                    break
        return added(newest)

    def labelled_until(self, until: datetime) -> datetime | None:
        """The end of the last hour before `until` of which a label is known."""
        known = [
            hour
            for hour, tally in zip(self._moments, self._tallies, strict=True)
            if hour < until and tally.outcomes.labelled
        ]
        return min(known[-1] + HOUR, until) if known else None


def evenly(parts: Sequence[Distribution]) -> Distribution | None:
    """All of them as one in which each has as many rows as the others: a busy day is one day. None without a row.

    They are of one feature, so of the same bins or names.
    """
    known = [(part, part.count + part.missing) for part in parts if part.count + part.missing]
    if not known:
        return None
    wanted = sum(rows for _, rows in known) / len(known)
    shares = [(part, wanted / rows) for part, rows in known]
    missing = round(sum(part.missing * share for part, share in shares))
    numbers = [(part, share) for part, share in shares if isinstance(part, Numbers)]
    if numbers:
        return _even_numbers(numbers, missing)
    categories = [(part, share) for part, share in shares if isinstance(part, Categories)]
    counts = {
        name: round(sum(part.counts.get(name, 0) * share for part, share in categories))
        for name in categories[0][0].counts
    }
    other = round(sum(part.other * share for part, share in categories))
    return Categories(counts, other, missing, named_apart=True)  # the names are those of the reference


def _even_numbers(numbers: Sequence[tuple[Numbers, float]], missing: int) -> Numbers:
    edges = numbers[0][0].edges
    places = range(len(edges) + 1)
    counts = tuple(round(sum(part.counts[place] * share for part, share in numbers)) for place in places)
    weights = [part.count * share for part, share in numbers]
    mean = sum(part.mean * weight for (part, _), weight in zip(numbers, weights, strict=True)) / (sum(weights) or 1.0)
    squares = sum(share * (part.squares + part.count * (part.mean - mean) ** 2) for part, share in numbers)
    ends = min(part.minimum for part, _ in numbers), max(part.maximum for part, _ in numbers)
    return Numbers(edges, counts, missing, mean, squares, *ends)
