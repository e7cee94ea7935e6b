"""What is done to the current side of a real table, and which verdicts are right of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from drift_pair_tables import Source
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict

LEAST = 300


@dataclass(frozen=True)
class Left:
    """Two sides as they are left. Of `touched` one at least must be named, and nothing else where it is a break."""

    reference: pd.DataFrame
    current: pd.DataFrame
    labels: pd.DataFrame | None = None
    touched: tuple[str, ...] = ()
    urgencies: tuple[str, ...] = ()
    importance: Mapping[str, float] = field(default_factory=dict)


class Served:
    """A table with what a model says of each of its rows that it did not learn from."""

    def __init__(self, source: Source) -> None:
        self.source, self.frame, self.target = source, source.frame, source.target
        self.numbers, self.texts, self.rows = source.numbers, source.texts, len(source.frame)
        self._said: pd.Series | None = None

    @property
    def said(self) -> pd.Series:
        if self._said is None:
            x = pd.DataFrame({n: _as_number(self.frame[n]) for n in self.source.features})
            y = self.frame[self.target]
            made = HistGradientBoostingClassifier if self.source.kind == "classes" else HistGradientBoostingRegressor
            folds = KFold(3, shuffle=True, random_state=0)
            told = cross_val_predict(made(max_iter=25, learning_rate=0.2, random_state=0), x, y, cv=folds)
            self._said = pd.Series(told, self.frame.index)
        return self._said

    def with_answers(self) -> pd.DataFrame:
        return self.frame.assign(prediction=self.said)

    def halves(self, chance: Any, frame: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Two random halves, not more than 4,000 against 3,000 rows."""
        frame = self.frame if frame is None else frame
        order = chance.permutation(len(frame))
        middle = len(frame) // 2
        return (
            frame.iloc[order[:middle][:4_000]].reset_index(drop=True),
            frame.iloc[order[middle:][:3_000]].reset_index(drop=True),
        )


@dataclass(frozen=True)
class Case:
    """`kinds` are those that are right of it, the usual one first."""

    kinds: tuple[str, ...]
    make: Callable[[Any, Served], Left | None]


CASES: dict[str, Case] = {}


def case(name: str, *kinds: str) -> Callable[[Callable[[Any, Served], Left | None]], Callable[[Any, Served], Any]]:
    def known(make: Callable[[Any, Served], Left | None]) -> Callable[[Any, Served], Any]:
        CASES[name] = Case(kinds, make)
        return make

    return known


def on_number(name: str, *kinds: str, least: int = LEAST) -> Any:
    """A case that turns one column of numbers of the current rows into another."""

    def known(turn: Callable[[Any, pd.Series], Any]) -> Any:
        def make(chance: Any, served: Served) -> Left | None:
            if not served.numbers or served.rows < least:
                return None
            then, now = served.halves(chance)
            column = str(chance.choice(served.numbers[:8]))
            turned = turn(chance, now[column].astype(float))
            return None if turned is None else Left(then, _with(now, column, turned), touched=(column,))

        CASES[name] = Case(kinds, make)
        return turn

    return known


def on_text(name: str, *kinds: str) -> Any:
    def known(turn: Callable[[Any, pd.Series], Any]) -> Any:
        def make(chance: Any, served: Served) -> Left | None:
            if not served.texts or served.rows < LEAST:
                return None
            then, now = served.halves(chance)
            column = str(chance.choice(served.texts))
            written = pd.to_numeric(now[column].astype(object), errors="coerce").notna().any()
            if now[column].nunique() < 2 or written:
                return None
            turned = turn(chance, now[column].astype(object))
            return None if turned is None else Left(then, _with(now, column, turned), touched=(column,))

        CASES[name] = Case(kinds, make)
        return turn

    return known


def _with(frame: pd.DataFrame, column: str, values: Any) -> pd.DataFrame:
    found = frame.copy()
    found[column] = values
    return found


def _as_number(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    return pd.Series(pd.factorize(column, sort=True)[0], column.index).astype(float)


def _some(chance: Any, rows: int, share: float) -> Any:
    return chance.random(rows) < share


# No drift


@case("halves", "no drift")
def _(chance: Any, served: Served) -> Left:
    return Left(*served.halves(chance))


@case("halves with answers", "no drift")
def _(chance: Any, served: Served) -> Left:
    return Left(*served.halves(chance, served.with_answers()))


@case("few rows of reference", "no drift")
def _(chance: Any, served: Served) -> Left | None:
    rows = int(chance.choice([60, 100, 200, 300]))
    order = chance.permutation(served.rows)
    parts = (served.frame.iloc[order[:rows]], served.frame.iloc[order[rows : rows + 1_000]])
    return Left(*parts) if len(parts[1]) >= 50 else None


@case("few rows now", "no drift")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance, served.with_answers())
    return Left(then, now.head(int(chance.choice([5, 20, 60, 100]))))


@case("labels late, by id", "no drift")
def _(chance: Any, served: Served) -> Left:
    frame = served.with_answers().assign(customer=np.arange(served.rows) + 1_000)
    then, now = served.halves(chance, frame)
    labels = now[["customer", served.target]].sample(frac=0.7, random_state=1)
    return Left(then, now.drop(columns=served.target), labels)


@case("labels late, in order", "no drift")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance, served.with_answers())
    return Left(then, now.drop(columns=served.target), now[[served.target]])


@case("no labels yet", "no drift")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance, served.with_answers())
    return Left(then.rename(columns={served.target: "target"}), now.drop(columns=served.target))


@case("columns in another order, rows sorted", "no drift")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance)
    column = str(chance.choice(served.source.features))
    return Left(then.sort_values(column), now[list(chance.permutation(list(now.columns)))])


@case("ids, clocks, words, empties", "no drift")
def _(chance: Any, served: Served) -> Left:
    sides = []
    for start, side in zip((0, 50_000), served.halves(chance), strict=True):
        number = np.arange(len(side)) + start
        words = [" ".join(chance.choice(["a", "big", "cat", "sat", "here", "now", "then"], 5)) for _ in number]
        sides.append(side.assign(
            user_id=chance.integers(0, 1 << 40, len(side)), row=number, constant=3, nothing=None,
            session=[f"{chance.integers(1 << 60):x}" for _ in number], remark=words,
            received=pd.Timestamp("2026-01-05") + pd.to_timedelta(number * 97, unit="s"),
            flag=_some(chance, len(side), 0.3),
        ))  # fmt: skip
    return Left(sides[0], sides[1])


@case("rows twice", "no drift")
def _(chance: Any, served: Served) -> Left | None:
    then, now = served.halves(chance)
    if served.rows < LEAST:
        return None
    twice = pd.concat([now, now.sample(frac=0.3, random_state=2)]).sample(frac=1, random_state=3)
    return Left(then, twice)


@case("a few wild values", "no drift")
def _(chance: Any, served: Served) -> Left | None:
    if not served.numbers or served.rows < LEAST:
        return None
    sides = []
    for side in served.halves(chance):
        wild = side[served.numbers[0]].astype(float).copy()
        wild.iloc[chance.choice(len(side), 2, replace=False)] = [np.inf, 1e18]
        sides.append(side.assign(**{served.numbers[0]: wild}))
    return Left(*sides)


@case("whole numbers as floats", "no drift")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance)
    whole = [n for n in served.source.features if pd.api.types.is_integer_dtype(now[n])]
    return Left(then, now.astype(dict.fromkeys(whole, float)))


@case("trifles", "no drift")
def _(chance: Any, served: Served) -> Left | None:
    if not served.numbers:
        return None
    then, now = served.halves(chance)
    # Between few values, or with a long tail, so small a step may lead from one half of the rows to the other.
    steps = {n: 0.015 * (now[n].quantile(0.75) - now[n].quantile(0.25)) for n in served.numbers}
    moved = {n: now[n] + steps[n] for n in served.numbers if now[n].nunique() > 0.95 * len(now)}
    return Left(then, now.assign(**moved)) if moved else None


# Data drift


@case("other rows of one column", "data drift")
def _(chance: Any, served: Served) -> Left | None:
    """Twice as many rows of its upper half."""
    if not served.numbers or served.rows < 2 * LEAST:
        return None
    column = str(chance.choice(served.numbers[:8]))
    then, rest = served.halves(chance)
    now = _chosen(chance, rest, rest[column].astype(float).rank(pct=True) > 0.5, 4)
    return Left(then, now, touched=(column,))


@case("other rows, with answers and labels", "data drift")
def _(chance: Any, served: Served) -> Left | None:
    if not served.numbers or served.rows < 3 * LEAST:
        return None
    column = str(chance.choice(served.numbers[:8]))
    then, rest = served.halves(chance, served.with_answers())
    now = _chosen(chance, rest, rest[column].astype(float).rank(pct=True) > 0.5, 4)
    return Left(then, now, touched=(column,))


@case("more of one category", "data drift")
def _(chance: Any, served: Served) -> Left | None:
    if not served.texts or served.rows < 2 * LEAST:
        return None
    column = str(chance.choice(served.texts))
    then, rest = served.halves(chance)
    counts = rest[column].value_counts(normalize=True)
    fitting = counts[(counts > 0.08) & (counts < 0.6)]
    if not len(fitting):
        return None
    return Left(then, _chosen(chance, rest, rest[column] == fitting.index[0], 5), touched=(column,))


@case("more of one class", "data drift", "concept drift", "model decay")
def _(chance: Any, served: Served) -> Left | None:
    if served.source.kind != "classes" or served.rows < 2 * LEAST:
        return None
    then, rest = served.halves(chance, served.with_answers())
    counts = rest[served.target].value_counts(normalize=True)
    fitting = counts[(counts > 0.08) & (counts < 0.6)]
    if not len(fitting):
        return None
    return Left(then, _chosen(chance, rest, rest[served.target] == fitting.index[-1], 5))


def _chosen(chance: Any, rows: pd.DataFrame, wanted: Any, times: float) -> pd.DataFrame:
    weights = np.where(wanted, times, 1.0)
    picked = chance.choice(len(rows), int(0.4 * len(rows)), replace=False, p=weights / weights.sum())
    return rows.iloc[np.sort(picked)]


@on_number("shift by half a deviation", "data drift")
def _(chance: Any, column: pd.Series) -> Any:
    return column + 0.5 * column.std()


@on_number("a wider spread", "data drift")
def _(chance: Any, column: pd.Series) -> Any:
    return column.median() + 1.7 * (column - column.median())


@on_number("inflation", "data drift")
def _(chance: Any, column: pd.Series) -> Any:
    return column * 1.35 if column.min() > 0 and column.std() < column.mean() else None


@on_text("a new category", "data drift", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column.mask(_some(chance, len(column), 0.2), "Zanzibar")


@case("a time zone off", "data drift", "schema break")
def _(chance: Any, served: Served) -> Left | None:
    if served.rows < LEAST:
        return None
    sides = []
    for late, side in enumerate(served.halves(chance)):
        hour = (13 + 4 * chance.standard_normal(len(side))).round() % 24
        sides.append(side.assign(hour_of_day=(hour + 6 * late) % 24))
    return Left(*sides, touched=("hour_of_day",))


# Schema breaks


def _scale(name: str, factor: float, offset: float = 0.0) -> None:
    @on_number(f"unit {name}", "schema break")
    def _(chance: Any, column: pd.Series) -> Any:
        if column.std() == 0 or (abs(factor) < 5 and column.abs().median() < column.std()):
            return None
        # What is mostly zero has no unit that could be told.
        return column * factor + offset if (column == 0).mean() < 0.3 else None


for _name, _factor in (("x 100", 100), ("x 1,000", 1e3), ("/ 1,000", 1e-3), ("x 0.4536", 0.4536), ("sign", -1)):
    _scale(_name, _factor)


@on_number("unit Fahrenheit", "schema break", least=600)
def _(chance: Any, column: pd.Series) -> Any:
    return None if column.abs().max() > 60 or column.std() < 3 else column * 1.8 + 32


@on_number("unit x 100 in a third", "schema break", least=600)
def _(chance: Any, column: pd.Series) -> Any:
    tight = column.min() > 0 and column.std() < column.mean()
    return column.where(~_some(chance, len(column), 0.33), column * 100) if tight else None


@on_number("logarithm", "schema break", "data drift")
def _(chance: Any, column: pd.Series) -> Any:
    return np.log(column) if column.min() > 0 and column.max() > 3 * column.min() else None


@case("swapped", "schema break")
def _(chance: Any, served: Served) -> Left | None:
    if served.rows < LEAST:
        return None
    then, now = served.halves(chance)
    for _ in range(10):
        if len(served.numbers) < 2:
            return None
        one, other = (str(name) for name in chance.choice(served.numbers[:8], 2, replace=False))
        a, b = (then[name].dropna().quantile([0.25, 0.5, 0.75]).to_numpy() for name in (one, other))
        if a[0] > b[2] or b[0] > a[2]:
            return Left(then, now.rename(columns={one: other, other: one}), touched=(one, other))
    return None


@case("swapped categories", "schema break")
def _(chance: Any, served: Served) -> Left | None:
    if len(served.texts) < 2 or served.rows < LEAST:
        return None
    then, now = served.halves(chance)
    one, other = (str(name) for name in chance.choice(served.texts, 2, replace=False))
    if set(then[one].dropna()) & set(then[other].dropna()):
        return None
    return Left(then, now.rename(columns={one: other, other: one}), touched=(one, other))


@on_number("missing in 40 %", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column.mask(_some(chance, len(column), 0.4))


@on_number("missing at a stretch", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    found = column.copy()
    found.iloc[len(found) // 2 :] = np.nan
    return found


@on_number("missing everywhere", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return np.nan


@on_number("constant", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return float(chance.choice([column.mean(), 0.0, column.max()]))


@on_number("a placeholder in 15 %", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    value = float(chance.choice([-999.0, -1.0, 9_999_999.0]))
    return column.mask(_some(chance, len(column), 0.15), value) if column.min() >= 0 and column.max() < 1e6 else None


@on_number("as text with a unit", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column.round(2).astype(str) + " kg"


@on_number("decimal commas", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    broken = (column % 1 != 0).mean() > 0.3
    return column.round(4).astype(str).str.replace(".", ",") if broken else None


@on_number("words in a tenth", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column.astype(object).mask(_some(chance, len(column), 0.1), "unknown")


@on_number("frozen at the last value", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    found = column.copy()
    found.iloc[len(found) // 3 :] = found.dropna().iloc[0]
    return found


@on_text("in capitals", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    turned = column.str.upper() if (column.dropna() != column.dropna().str.upper()).mean() > 0.2 else column.str.lower()
    return turned if (turned.dropna() != column.dropna()).mean() > 0.2 else None


@on_text("with blanks", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column + " "


@on_text("as codes", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return pd.Series(pd.factorize(column, sort=True)[0], column.index)


@on_text("renamed", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column.map({name: f"cat_{place}" for place, name in enumerate(column.dropna().unique())})


@on_text("one category renamed", "schema break", "data drift")
def _(chance: Any, column: pd.Series) -> Any:
    counts = column.value_counts(normalize=True)
    return column.replace({counts.index[0]: "Group 1"}) if 0.1 < counts.iloc[0] < 0.9 else None


@on_text("one category everywhere", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    share = (column == column.mode()[0]).mean()
    return column.mode()[0] if share < 0.8 else None


@on_text("missing texts", "schema break")
def _(chance: Any, column: pd.Series) -> Any:
    return column.mask(_some(chance, len(column), 0.4))


@case("a column gone", "schema break")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance)
    column = str(chance.choice(served.source.features))
    return Left(then, now.drop(columns=column), touched=(column,))


@case("a column more", "schema break", "no drift")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance)
    return Left(then, now.assign(extra_feature=chance.standard_normal(len(now))), urgencies=("None", "P2"))


@case("a column of another name", "schema break")
def _(chance: Any, served: Served) -> Left:
    then, now = served.halves(chance)
    column = str(chance.choice(served.source.features))
    return Left(then, now.rename(columns={column: column + "_v2"}), touched=(column, column + "_v2"))


@case("dates the other way round", "schema break")
def _(chance: Any, served: Served) -> Left | None:
    if served.rows < LEAST:
        return None
    sides = []
    for form, side in zip(("%Y-%m-%d", "%d/%m/%Y"), served.halves(chance), strict=True):
        born = pd.Timestamp("1980-01-01") + pd.to_timedelta(chance.integers(0, 9_000, len(side)), unit="D")
        sides.append(side.assign(date_of_birth=born.strftime(form)))
    return Left(*sides, touched=("date_of_birth",))


@case("labels all alike", "schema break")
def _(chance: Any, served: Served) -> Left | None:
    if served.source.kind != "classes" or served.rows < LEAST:
        return None
    then, now = served.halves(chance, served.with_answers())
    shares = then[served.target].value_counts(normalize=True)
    if shares.iloc[0] > 0.9:
        return None
    names = {served.target: "target"}
    return Left(then.rename(columns=names), now.assign(**{served.target: shares.index[0]}).rename(columns=names))


# Concept drift, model decay


def _classified(served: Served, least: int = LEAST) -> bool:
    return served.source.kind == "classes" and served.rows >= least


def _named(*sides: pd.DataFrame, target: str) -> list[pd.DataFrame]:
    return [side.rename(columns={target: "target"}) for side in sides]


@case("a quarter of the labels turned", "concept drift")
def _(chance: Any, served: Served) -> Left | None:
    return _turned(chance, served, lambda now: _some(chance, len(now), 0.25)) if _classified(served, 600) else None


@case("labels turned in a segment", "concept drift")
def _(chance: Any, served: Served) -> Left | None:
    if not _classified(served, 600) or not served.numbers:
        return None
    column = str(chance.choice(served.numbers[:8]))
    return _turned(chance, served, lambda now: now[column].rank(pct=True) > 0.75)


@case("labels turned in a segment, no answers", "concept drift")
def _(chance: Any, served: Served) -> Left | None:
    if not _classified(served, 600) or not served.numbers:
        return None
    column = str(chance.choice(served.numbers[:8]))
    return _turned(chance, served, lambda now: now[column].rank(pct=True) > 0.75, answers=False)


def _turned(chance: Any, served: Served, which: Callable[[pd.DataFrame], Any], answers: bool = True) -> Left | None:
    then, now = served.halves(chance, served.with_answers() if answers else served.frame)
    classes = list(then[served.target].value_counts().index[:6])
    following = dict(zip(classes, classes[1:] + classes[:1], strict=True))
    hit = which(now) & now[served.target].isin(classes)
    if (then[served.target] == served.said.mode()[0]).mean() > 0.85:
        return None
    labels = now[served.target].where(~hit, now[served.target].map(following))
    then, now = _named(then, now.assign(**{served.target: labels}), target=served.target)
    return Left(then, now, urgencies=("P0", "P1"))


@case("numbers come out higher", "concept drift", "model decay")
def _(chance: Any, served: Served) -> Left | None:
    if served.source.kind != "numbers" or served.rows < 600:
        return None
    then, now = served.halves(chance, served.with_answers())
    error = (then[served.target] - then["prediction"]).abs()
    now = now.assign(**{served.target: now[served.target] + 2.5 * error.mean()})
    return Left(*_named(then, now, target=served.target))


@case("answers worse in a sixth", "model decay")
def _(chance: Any, served: Served) -> Left | None:
    return _worse(chance, served, lambda now: _some(chance, len(now), 0.17)) if _classified(served, 600) else None


@case("answers worse in a segment", "model decay")
def _(chance: Any, served: Served) -> Left | None:
    if not _classified(served, 600) or not served.numbers:
        return None
    column = str(chance.choice(served.numbers[:8]))
    return _worse(chance, served, lambda now: now[column].rank(pct=True) > 0.75)


def _worse(chance: Any, served: Served, which: Callable[[pd.DataFrame], Any]) -> Left | None:
    then, now = served.halves(chance, served.with_answers())
    if (then["prediction"] == then[served.target]).mean() < 0.7:
        return None
    classes = list(then[served.target].value_counts().index[:6])
    following = dict(zip(classes, classes[1:] + classes[:1], strict=True))
    said = now["prediction"].where(~which(now), now["prediction"].map(following).fillna(classes[0]))
    then, now = _named(then, now.assign(prediction=said), target=served.target)
    return Left(then, now)


@case("another model without labels", "model decay")
def _(chance: Any, served: Served) -> Left | None:
    if not _classified(served, 600):
        return None
    then, now = served.halves(chance, served.with_answers())
    classes = list(then["prediction"].value_counts().index[:6])
    if len(classes) < 2 or then["prediction"].value_counts(normalize=True).iloc[0] > 0.9:
        return None
    said = now["prediction"].mask(_some(chance, len(now), 0.25), classes[1])
    then, now = _named(then, now.assign(prediction=said), target=served.target)
    return Left(then, now.drop(columns="target"))
