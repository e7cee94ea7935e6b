"""Whether a column of numbers came in another unit: dollars as cents, Celsius as Fahrenheit, metres as feet."""

from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = np.linspace(0.05, 0.95, 19)
LEAST_ROWS = 50
LEAST_DISTINCT = 8
ALIKE = 0.05
# Spreads that rows may have moved by, in the other unit, where nothing of them lies where it was.
APART = 0.7
# Few values: of so many at most, nearly all are found again, and no more of the rows moved among them.
MOST_LEVELS, NEARLY_ALL, MOST_MOVED = 30, 0.98, 0.3
# Share of rows that may come in the other unit alone (one client among many).
LEAST_PORTION = 0.05


@dataclass(frozen=True, slots=True)
class Conversion:
    """current = factor * reference + offset."""

    name: str
    factor: float
    offset: float = 0.0

    @property
    def gentle(self) -> bool:
        """So near to 1 that an honest change could be taken for it: wants a closer fit."""
        return 0.2 < abs(self.factor) < 5


def _both_ways(name: str, factor: float) -> list[Conversion]:
    return [Conversion(f"× {name}", factor), Conversion(f"÷ {name}", 1 / factor)]


CONVERSIONS = [
    conversion
    for name, factor in (
        ("10", 10), ("100", 100), ("1,000", 1e3), ("10,000", 1e4), ("1,000,000", 1e6), ("1,000,000,000", 1e9),
        ("1,024", 1024), ("60", 60), ("3,600", 3600), ("24", 24), ("7", 7), ("12", 12), ("365.25", 365.25),
        ("1.609 (miles and kilometres)", 1.609344), ("2.205 (kilograms and pounds)", 2.2046226),
        ("2.54 (inches and centimetres)", 2.54), ("3.281 (metres and feet)", 3.2808399),
        ("3.785 (gallons and litres)", 3.785411784),
    )
    for conversion in _both_ways(name, factor)
] + [
    Conversion("Celsius as Fahrenheit", 1.8, 32.0), Conversion("Fahrenheit as Celsius", 1 / 1.8, -32 / 1.8),
    Conversion("Celsius as Kelvin", 1.0, 273.15), Conversion("Kelvin as Celsius", 1.0, -273.15),
    Conversion("the sign turned", -1.0),
]  # fmt: skip


def find_conversion(reference: Any, current: Any) -> tuple[Conversion, float] | None:
    """The conversion that takes finite `reference` values to `current` ones, and the share of rows it was done to."""
    if len(reference) < LEAST_ROWS or len(current) < LEAST_ROWS:
        return None
    then = np.quantile(reference, LEVELS)
    spread = float(then[-1] - then[0]) / 3.29
    # A column of few values has no shape that could be recognised in another unit, only the values themselves.
    if spread <= 0 or len(np.unique(then)) < LEAST_DISTINCT:
        named = _by_levels(reference, current)
        return (named, 1.0) if named else None
    if found := _fitting(then, np.quantile(current, LEVELS), spread, len(current), CONVERSIONS):
        return found, 1.0
    low, high = float(reference.min()), float(reference.max())
    outside = current[(current > high + 2 * (high - low)) | (current < low - 2 * (high - low))]
    if len(outside) < max(LEAST_ROWS, LEAST_PORTION * len(current)):
        return None
    far = [conversion for conversion in CONVERSIONS if abs(conversion.factor) >= 10]
    found = _fitting(then, np.quantile(outside, LEVELS), spread, len(outside), far)
    return (found, len(outside) / len(current)) if found else None


def _fitting(then: Any, now: Any, spread: float, rows: int, among: list[Conversion]) -> Conversion | None:
    raw = float(np.abs(now - then).mean()) / spread
    apart = bool(now[0] > then[-1] or now[-1] < then[0])
    fitting = []
    for conversion in among:
        error = float(np.abs(np.sort((now - conversion.offset) / conversion.factor) - then).mean()) / spread
        # Both ends must agree in the other unit too: a tiny factor makes everything near zero look alike.
        back = np.ptp(now) / abs(conversion.factor) / max(np.ptp(then), 1e-300)
        if not 0.6 < back < 1.7:
            continue
        turned = bool(min(then[0], -now[-1]) >= 0 or max(then[-1], -now[0]) <= 0) and conversion.factor == -1
        if _convincing(conversion, error, raw, then, spread, rows, apart or turned):
            fitting.append((error, conversion))
    return usual_of(fitting)


def usual_of(fitting: list[tuple[float, Conversion]]) -> Conversion | None:
    """Of those that fit alike, each with its error in spreads, the more usual one is meant: it stands first."""
    if not fitting:
        return None
    least, best = min(fitting, key=lambda found: found[0])
    # Rows that moved as well do not tell thousands from 1,024.
    return next(
        conversion
        for error, conversion in fitting
        if error <= least + ALIKE or (conversion.offset == best.offset and 0.9 < conversion.factor / best.factor < 1.1)
    )


def _convincing(
    conversion: Conversion, error: float, raw: float, then: Any, spread: float, rows: int, apart: bool
) -> bool:
    noise = 2.5 / np.sqrt(rows)
    if conversion.gentle and apart:
        # No value in common: what honestly moved so far would hardly keep its shape in just this unit.
        return bool(error < min(0.3, 0.1 + noise) and error < 0.1 * raw)
    if conversion.gentle:
        # Where the values lie about zero, another unit and a wider spread are the same thing.
        located = conversion.offset != 0 or abs(float(np.median(then))) > spread
        return bool(located and raw > 0.75 and error < min(0.12, 0.04 + noise) and error < 0.12 * raw)
    # Where the two have no value in common the rows may have moved too, and it is still another unit.
    tight = APART if apart else min(0.5, 0.2 + noise)
    return bool(raw > 0.5 and error < tight and error < 0.3 * raw)


def _by_levels(reference: Any, current: Any) -> Conversion | None:
    """The conversion under which the same few values come about as often as before."""
    levels, counts = np.unique(reference, return_counts=True)
    if len(levels) > MOST_LEVELS:
        return None
    shares, known = counts / len(reference), np.isin(current, levels).mean()
    if known > 0.5:
        return None
    for conversion in CONVERSIONS:
        turned = levels * conversion.factor + conversion.offset
        close = np.isclose(current[:, None], turned[None, :], rtol=1e-6, atol=0)
        now = close.mean(axis=0)
        seen = (now > 0) & (turned != 0)
        if seen.sum() >= 2 and now.sum() >= NEARLY_ALL and np.abs(now - shares).sum() / 2 < MOST_MOVED:
            return conversion
    return None
