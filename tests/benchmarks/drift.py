"""Drift measured: time and memory beside scipy, false alarms and power, seasons, streams, records a second.

.venv/bin/python tests/benchmarks/drift.py [speed alarms levels trivial orders seasons streams rules answers records]

Peers that need other packages than ours are measured by drift_peers.py in environments of their own.
"""

import json
import os
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import scipy.stats
from river.datasets import synth

from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts
from pipelines.drift.comparison import compare, judge_features
from pipelines.drift.examine import examine
from pipelines.drift.joining import paired
from pipelines.drift.records import Half, profile_records, read_events
from pipelines.drift.tallying import tally_columns
from pipelines.drift.watch import judge_windows
from pipelines.drift.windows import WindowProfile
from pipelines.profiles import (
    Categories,
    Distribution,
    ReferenceProfile,
    reference_categories,
    reference_edges,
    tally_codes,
    tally_numbers,
)

NUMBERS, FEATURES = 30, 50
VARIATION = 0.1
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SAID = Categories({"0": 500, "1": 500})


def main() -> None:
    """Run what was named, or everything."""
    for name in sys.argv[1:] or list(PARTS):
        print(f"\n## {name}\n")
        PARTS[name]()


def line(*cells: object) -> None:
    """A row of a table; a heading where all cells are texts."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def heading(*cells: str) -> None:
    line(*cells)
    print("|" + "---|" * len(cells))


def window(chance: Any, rows: int, moved: frozenset[int] = frozenset(), shift: float = 0.3) -> dict[str, Column]:
    """30 numbers (normal, skewed, even) and 20 categories (3 to 12 levels); moved by `shift` sd or 0.1 of the rows."""
    columns: dict[str, Column] = {}
    for place in range(FEATURES):
        if place < NUMBERS:
            drawn = chance.normal(size=rows), chance.standard_exponential(rows), chance.uniform(-1.732, 1.732, rows)
            values = drawn[place % 3]
            columns[f"n{place}"] = Numbers(values + shift if place in moved else values)
            continue
        levels = (3, 4, 5, 8, 12)[place % 5]
        shares = np.arange(levels, 0, -1) / (levels * (levels + 1) / 2)
        if place in moved:
            shares = shares + VARIATION * (np.eye(levels)[-1] - np.eye(levels)[0])
        columns[f"c{place}"] = Texts(chance.choice(levels, rows, p=shares), tuple(map(str, range(levels))))
    return columns


def reference_of(columns: dict[str, Column]) -> ReferenceProfile:
    rows = len(next(iter(columns.values())))
    features = {name: distribution(column) for name, column in columns.items()}
    return ReferenceProfile("model", "run", rows, features, SAID, SAID)


def distribution(column: Column) -> Distribution:
    if isinstance(column, Numbers):
        return tally_numbers(column.values, reference_edges(column.values))
    assert isinstance(column, Texts)
    return tally_codes(column.codes, column.levels, column.levels)


def lean(columns: dict[str, Column], reference: ReferenceProfile) -> Any:
    """The whole verdict on a stored profile."""
    hour = WindowProfile("model", "1", NOW - timedelta(hours=1), {"a": tally_columns(columns, reference)})
    return judge_windows(reference, [hour], NOW)


def with_scipy(columns: dict[str, Column], before: dict[str, Column]) -> list[float]:
    found = []
    for name, column in columns.items():
        then = before[name]
        if isinstance(column, Numbers) and isinstance(then, Numbers):
            found.append(scipy.stats.ks_2samp(then.values, column.values, method="asymp").pvalue)
        elif isinstance(column, Texts) and isinstance(then, Texts):
            counts = [np.bincount(each.codes, minlength=len(each.levels)) for each in (then, column)]
            found.append(scipy.stats.chi2_contingency(counts).pvalue)
    return found


def speed() -> None:
    heading("rows x 50", "ours CPU s", "ours MB beyond the data", "scipy ks + chi2 CPU s", "scipy MB")
    for rows in (10_000, 100_000, 1_000_000):
        chance = np.random.default_rng(1)
        before, columns = window(chance, rows), window(chance, rows)
        reference = reference_of(before)
        lean({name: column.take(np.arange(100)) for name, column in columns.items()}, reference)
        ours, theirs = partial(lean, columns, reference), partial(with_scipy, columns, before)
        line(f"{rows:,}", f"{cpu(ours):.4f}", f"{memory(ours):.1f}", f"{cpu(theirs, 1):.2f}", f"{memory(theirs):.0f}")


def cpu(act: Callable[[], Any], runs: int = 5) -> float:
    found = []
    for _ in range(runs):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return min(found)


def memory(act: Callable[[], Any]) -> float:
    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def flagged(before: dict[str, Column], now: dict[str, Column]) -> set[str]:
    reference = reference_of(before)
    tally = tally_columns(now, reference)
    compared = {name: compare(reference.features[name], tally.features[name]) for name in before}
    kinds = {name: "number" if name.startswith("n") else "category" for name in before}
    return {feature.name for feature in judge_features(compared, kinds, {}, {}, {}, {}) if feature.drifted}


def alarms(pairs: int = 300) -> None:
    heading("reference / current", "any flag", "power", "scipy p < .05: any", "scipy BH .01: any", "power")
    for rows, own in ((1_000, 500), (5_000, 500)):
        chance = np.random.default_rng(11)
        false = loud = corrected = 0
        seen = seen_by_scipy = 0
        for _ in range(pairs):
            before, calm = window(chance, rows), window(chance, own)
            moved = frozenset(chance.choice(FEATURES, 8, replace=False).tolist())
            now = window(chance, own, moved)
            names = [name for place, name in enumerate(before) if place in moved]
            false += bool(flagged(before, calm))
            seen += len(flagged(before, now) & set(names))
            p_values = with_scipy(calm, before)
            loud += min(p_values) < 0.05
            corrected += min(scipy.stats.false_discovery_control(p_values)) < 0.01
            q_values = scipy.stats.false_discovery_control(with_scipy(now, before))
            seen_by_scipy += sum(q_values[place] < 0.01 for place in moved)
        total = 8 * pairs
        shares = (seen / total, loud / pairs, corrected / pairs, seen_by_scipy / total)
        line(f"{rows:,} / {own}", f"{false / pairs:.1%}", *(f"{share:.1%}" for share in shares))


def levels(pairs: int = 100) -> None:
    """A category of many levels, all alike or as words are (Zipf): unchanged, and with a new one in a tenth of rows."""
    heading("levels", "reference / current", "tables: false", "profile: false", "tables: new one seen", "profile: seen")
    for many in (12, 60, 100, 200, 1_000):
        for law in ("even", "zipf"):
            shares = np.ones(many) if law == "even" else 1 / np.arange(1, many + 1)
            for rows, own in ((1_000, 500), (2_000, 2_000), (20_000, 5_000)):
                found = np.zeros(4)
                for number in range(pairs):
                    chance = np.random.default_rng([15, many, rows, number])
                    then, now = (chance.choice(many, size, p=shares / shares.sum()) for size in (rows, own))
                    newer = np.where(chance.random(own) < VARIATION, many, now)
                    found += [judge(then, each, many) for each in (now, newer) for judge in (told_by_rows, told_lean)]
                cells = [f"{share / pairs:.0%}" for share in found]
                line(f"{many} {law}", f"{rows:,} / {own:,}", *cells)


def told_by_rows(then: np.ndarray, now: np.ndarray, many: int) -> bool:
    names = tuple(f"c{place}" for place in range(many + 1))
    tables = [Table({"town": Texts(codes, names)}, len(codes), len(codes)) for codes in (then, now)]
    return examine(*tables).alarming


def told_lean(then: np.ndarray, now: np.ndarray, many: int) -> bool:
    names = tuple(f"c{place}" for place in range(many + 1))
    town = reference_categories([names[code] for code in then])
    return bool(
        lean({"town": Texts(now, names)}, ReferenceProfile("m", "r", len(then), {"town": town}, SAID, SAID)).alarming
    )


def trivial(pairs: int = 20) -> None:
    chance, ours, theirs, total = np.random.default_rng(12), 0, 0, 0
    for _ in range(pairs):
        moved = frozenset(chance.choice(NUMBERS, 8, replace=False).tolist())
        before, now = window(chance, 100_000), window(chance, 100_000, moved, shift=0.02)
        names = [f"n{place}" for place in moved]
        ours += len(flagged(before, now) & set(names))
        q_values = scipy.stats.false_discovery_control(with_scipy(now, before))
        theirs += sum(q_values[place] < 0.01 for place in moved)
        total += 8
    print(f"moves of 0.02 sd at 100,000 rows flagged: ours {ours / total:.1%}, scipy with BH {theirs / total:.1%}")


def orders(pairs: int = 40) -> None:
    """4,000 rows and 1,000 that are sorted, come hour by hour without a clock's season, or hang on their neighbours."""
    heading("rows", "unchanged: flagged", "moved by 0.5 sd: seen")
    makers: dict[str, Callable[[Any, int, float], Table]] = {
        "sorted by the number": in_order_of_x, "sorted by a category": in_order_of_k,
        "whole days of a rhythm": whole_days, "each near the last (0.9)": near_the_last,
    }  # fmt: skip
    for name, make in makers.items():
        found = np.zeros(2)
        for number in range(pairs):
            chance = np.random.default_rng([16, number])
            reference = make(chance, 4_000, 0.0)
            found += [examine(reference, make(chance, 1_000, moved)).alarming for moved in (0.0, 0.5)]
        line(name, *(f"{share / pairs:.0%}" for share in found))


def in_order_of_x(chance: Any, rows: int, moved: float) -> Table:
    return Table({"x": Numbers(np.sort(chance.normal(moved, 1, rows)))}, rows, rows)


def in_order_of_k(chance: Any, rows: int, moved: float) -> Table:
    codes = np.sort(chance.choice(3, rows, p=[0.5, 0.3, 0.2]))
    columns: dict[str, Column] = {
        "k": Texts(codes, ("a", "b", "c")),
        "x": Numbers(codes + chance.normal(moved, 1, rows)),
    }
    return Table(columns, rows, rows)


def whole_days(chance: Any, rows: int, moved: float) -> Table:
    seconds = np.linspace(0, 86_400.0 * rows / 400, rows, endpoint=False) + 1e9
    rhythm = 1.4 * np.sin(2 * np.pi * seconds / 86_400)
    columns: dict[str, Column] = {
        "timestamp": Moments(seconds),
        "x": Numbers(rhythm + chance.normal(moved * 1.1, 0.5, rows)),
    }
    return Table(columns, rows, rows)


def near_the_last(chance: Any, rows: int, moved: float) -> Table:
    steps, x = chance.normal(size=rows), np.zeros(rows)
    for place in range(1, rows):
        x[place] = 0.9 * x[place - 1] + steps[place]
    return Table({"x": Numbers(x + 2.3 * moved)}, rows, rows)


def seasons(windows: int = 1_000) -> None:
    """Windows of 2 to 48 hours somewhere in a year of days, weeks and weather; and windows without any season."""
    chance, kinds = np.random.default_rng(13), Counter[tuple[str, str, str | None]]()
    reference = clockwork(chance, 0, 28 * 24)
    plain = Table(window(chance, 2_000), 2_000, 2_000)
    for number in range(windows):
        if number % 2:
            verdict, sort = examine(plain, Table(window(chance, 500), 500, 500)), "no drift"
        else:
            hours = int(chance.choice([2, 6, 12, 24, 48]))
            start = 28 * 24 + int(chance.integers(0, 24 * 14))
            verdict, sort = examine(reference, clockwork(chance, start, hours)), "seasonal"
        kinds[sort, verdict.kind, verdict.urgency] += 1
    for (sort, kind, urgency), count in sorted(kinds.items(), key=str):
        print(f"{sort}: {kind} {urgency or ''} {count}")
    print(f"P0: {sum(count for (_, _, urgency), count in kinds.items() if urgency == 'P0')} of {windows}")


def clockwork(chance: np.random.Generator, start: int, hours: int, rows: int = 30) -> Table:
    """Rows of consecutive hours: a daily and a weekly rhythm, slow weather, a category that follows the hour."""
    hour = np.repeat(np.arange(start, start + hours), rows)
    moments = datetime(2026, 3, 2, tzinfo=UTC).timestamp() + hour * 3_600.0 + chance.uniform(0, 3_600, len(hour))
    day, weekend = 2 * np.pi * (hour % 24) / 24, ((hour // 24) % 7 >= 5).astype(float)
    columns: dict[str, Column] = {"timestamp": Moments(np.sort(moments))}
    for place in range(10):
        rhythm = np.sin(day + place) * (place % 4) + weekend * (place % 3)
        columns[f"n{place}"] = Numbers(rhythm + chance.normal(size=len(hour)))
    busy = chance.random(len(hour)) < 0.3 + 0.25 * np.sin(day)
    columns["channel"] = Texts(np.where(busy, 0, chance.integers(1, 4, len(hour))), ("shop", "web", "app", "phone"))
    return Table(columns, len(hour), len(hour))


def streams(runs: int = 40) -> None:
    """SEA with a tenth of noise and STAGGER: 5,000 rows of reference; 5,000 without, or 2,500 before and after."""
    heading("stream", "false alarms", "found", "median delay", "longest")
    makers: dict[str, Callable[[int, int], Any]] = {
        "SEA": lambda variant, seed: synth.SEA(variant=variant, noise=0.1, seed=seed),
        "STAGGER": lambda variant, seed: synth.STAGGER(classification_function=variant, seed=seed),
    }
    for name, before, after in (("SEA", 0, 1), ("SEA", 2, 3), ("STAGGER", 0, 1), ("STAGGER", 2, 0)):
        make, false, delays = makers[name], 0, []
        for run in range(runs):
            reference = drawn(make(before, run), 5_000)
            false += examine(labelled(*reference), labelled(*drawn(make(before, 1_000 + run), 5_000))).alarming
            old, new = drawn(make(before, 2_000 + run), 2_500), drawn(make(after, 3_000 + run), 2_500)
            both = labelled(*(np.concatenate(pair) for pair in zip(old, new, strict=True)))
            verdict = examine(labelled(*reference), both)
            if verdict.kind == "concept drift" and verdict.change_point is not None:
                delays.append(verdict.change_point.noticed - 2_500)
        found = f"{len(delays)} of {runs}", f"{np.median(delays):.0f}", max(delays)
        line(f"{name} {before} to {after}", f"{false} of {runs}", *found)


def rules(runs: int = 8, within: int = 440) -> None:
    """Every change between the four rules of SEA with a tenth of noise: the delay, and the share within some rows."""
    heading("SEA", "found", f"within {within} rows", "median delay", "longest")
    delays: dict[tuple[int, int], list[float]] = {}
    for before, after in permutations(range(4), 2):
        own = delays.setdefault((before, after), [])
        for run in range(runs):
            reference = drawn(synth.SEA(variant=before, noise=0.1, seed=run), 5_000)
            old = drawn(synth.SEA(variant=before, noise=0.1, seed=2_000 + run), 2_500)
            new = drawn(synth.SEA(variant=after, noise=0.1, seed=3_000 + run), 2_500)
            both = labelled(*(np.concatenate(pair) for pair in zip(old, new, strict=True)))
            verdict = examine(labelled(*reference), both)
            seen = verdict.kind == "concept drift" and verdict.change_point is not None
            own.append(verdict.change_point.noticed - 2_500 if seen and verdict.change_point else np.inf)
        line(f"{before} to {after}", *found_of(own, within))
    line("all", *found_of([delay for own in delays.values() for delay in own], within))


def found_of(delays: list[float], within: int) -> tuple[object, ...]:
    found = [delay for delay in delays if np.isfinite(delay)]
    soon = sum(delay <= within for delay in delays)
    median = f"{np.median(found):.0f}" if found else "-"
    return f"{len(found)} of {len(delays)}", f"{soon / len(delays):.0%}", median, f"{max(found, default=0):.0f}"


def answers(pairs: int = 40) -> None:
    """A binary classifier served with its scores: unchanged windows, and a class that another column decides now."""
    heading("class", "labels", "flagged of unchanged", "told at P0 of changed")
    for rate in (0.5, 0.1, 0.02):
        for known in (False, True):
            false = told = 0
            for pair in range(pairs):
                before, now = (answered(seed, 2_000, rate, known) for seed in (pair, 1_000 + pair))
                false += examine(before, now).alarming
                told += known and examine(before, answered(2_000 + pair, 2_000, rate, known, by=2)).urgency == "P0"
            line(f"{rate:.0%}", "yes" if known else "no", f"{false} of {pairs}", f"{told} of {pairs}" if known else "-")


def answered(seed: int, rows: int, rate: float, known: bool, by: int = 0) -> Table:
    """Four numbers, of which the model goes by the first; the outcome by the first as well, or by another one."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(rows, 4))
    score, truth = (1 / (1 + np.exp(-4 * (x[:, place] - scipy.stats.norm.isf(rate)))) for place in (0, by))
    columns = {f"x{place}": Numbers(x[:, place]) for place in range(4)}
    columns |= {"prediction": Numbers((score > 0.5).astype(float)), "score": Numbers(score)}
    if known:
        columns["label"] = Numbers((chance.random(rows) < truth).astype(float))
    return Table(columns, rows, rows)


def drawn(stream: Any, rows: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(list(x.values()), y) for x, y in stream.take(rows)]
    return np.array([x for x, _ in pairs], float), np.array([float(y) for _, y in pairs])


def labelled(x: np.ndarray, y: np.ndarray) -> Table:
    columns: dict[str, Column] = {f"x{place}": Numbers(x[:, place]) for place in range(x.shape[1])}
    return Table({**columns, "y": Numbers(y)}, len(y), len(y))


def records(count: int = 20_000, batch: int = 2_000) -> None:
    """KServe events of v1, a row each, 20 features: parsed, joined and counted into hourly profiles."""
    chance = np.random.default_rng(14)
    columns = {name: column for name, column in window(chance, count).items() if int(name[1:]) % 5 < 2}
    reference = reference_of(columns)
    rows = [{name: value(column, place) for name, column in columns.items()} for place in range(count)]
    sent = []
    for place, row in enumerate(rows):
        head = {
            "Ce-Id": f"e{place}",
            "Ce-Time": (NOW + timedelta(seconds=place)).isoformat(),
            "Ce-Inferenceservicename": "model",
        }
        for kind, body in (("request", {"instances": [row]}), ("response", {"predictions": [1]})):
            sent.append((json.dumps(body).encode(), {**head, "Ce-Type": f"org.kubeflow.serving.inference.{kind}"}))
    halves: list[Half] = []
    profiled = 0
    tracemalloc.start()
    took(sent[: 2 * batch], reference)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    began = time.process_time()
    for content, headers in sent:
        halves += read_events(content, headers)
        if len(halves) >= 2 * batch:
            profiled += profiled_of(halves, reference)
            halves = []
    profiled += profiled_of(halves, reference)
    seconds = time.process_time() - began
    print(f"{count / seconds:,.0f} records/s of {len(columns)} features on one core, {profiled:,} of them profiled;")
    print(f"{peak:.0f} MB for a batch of {batch:,}")


def took(sent: list[tuple[bytes, dict[str, str]]], reference: ReferenceProfile) -> None:
    profiled_of([half for content, headers in sent for half in read_events(content, headers)], reference)


def profiled_of(halves: list[Half], reference: ReferenceProfile) -> int:
    records = [record for pair in paired(halves)[0] for record in pair.records()]
    return sum(hour.total.rows for hour in profile_records(records, reference, NOW + timedelta(days=1)))


def value(column: Column, place: int) -> Any:
    if isinstance(column, Numbers):
        return float(column.values[place])
    assert isinstance(column, Texts)
    return column.levels[int(column.codes[place])]


PARTS: dict[str, Callable[[], None]] = {
    "speed": speed, "alarms": alarms, "levels": levels, "trivial": trivial, "orders": orders, "seasons": seasons,
    "streams": streams, "rules": rules, "answers": answers, "records": records,
}  # fmt: skip

if __name__ == "__main__":
    main()
