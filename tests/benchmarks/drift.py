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
from dataclasses import replace
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
from pipelines.drift.events import Half, read_events
from pipelines.drift.examine import examine
from pipelines.drift.joining import paired
from pipelines.drift.records import profile_records
from pipelines.drift.tallying import tally_columns
from pipelines.drift.watch import Watch, judge_windows
from pipelines.drift.windows import Outcomes, WindowProfile
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
WEEK, WEEKS_BEGIN = 168, datetime(2026, 3, 2, tzinfo=UTC)
PLANS = ("basic", "pro", "team")
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


def seasons(runs: int = 2) -> None:
    """A model watched for six weeks, from its first day, with importances and labels; every seven hours a look.

    Its hours have a daily rhythm, or a daily and a weekly one: another mix and 3 % more errors on
    weekends. The reference holds four whole weeks. Each look knows the episodes before it, as in the bot.
    """
    heading("hours", "window", "looks", "weeks 1 to 3: P0, P1, P2", "weeks 4 to 6: P0, P1, P2", "moved: seen, P0")
    most_urgent = 0
    for name, weekend in (("daily rhythm", 0.0), ("and weekends 0.3 sd off", 0.3), ("and weekends 0.8 sd off", 0.8)):
        reference = weekly_reference(weekend)
        for span in (6, 24):
            early, late, moved = (Counter[str | None]() for _ in range(3))
            for seed in range(runs):
                hours = [weekly_hour(reference, weekend, number, seed) for number in range(6 * WEEK)]
                for end, urgency in looked(reference, hours, span):
                    (early if end < 3 * WEEK else late)[urgency] += 1
                onset = 5 * WEEK + 50
                since = [weekly_hour(reference, weekend, onset + number, seed, moved=0.7) for number in range(96)]
                after = looked(reference, hours[:onset] + since, span, onset + span)
                moved.update(urgency for _, urgency in after)
            most_urgent += early["P0"] + late["P0"]
            told = [", ".join(str(each[urgency]) for urgency in ("P0", "P1", "P2")) for each in (early, late)]
            seen = f"{1 - moved[None] / moved.total():.0%}, {moved['P0'] / moved.total():.0%}"
            line(name, f"{span} h", early.total() + late.total(), *told, seen)
    if most_urgent:
        sys.exit(f"{most_urgent} P0 where nothing but seasons moved")


def looked(
    reference: ReferenceProfile, hours: list[WindowProfile], span: int, begin: int = 24
) -> list[tuple[int, str | None]]:
    """Urgencies by the hour of the look; an episode ends when two looks see nothing."""
    found: list[tuple[int, str | None]] = []
    spans: list[tuple[datetime, datetime]] = []
    quiet = 2
    for end in range(begin, len(hours) + 1, 7):
        until, watch = WEEKS_BEGIN + timedelta(hours=end), Watch(timedelta(hours=span))
        verdict = judge_windows(reference, hours[:end], until, watch, {"age": 5, "load": 3, "plan": 2}, None, spans)
        found.append((end, verdict.urgency))
        if verdict.alarming and quiet >= 2:
            spans.append((until - watch.span, datetime.max.replace(tzinfo=UTC)))
        quiet = 0 if verdict.alarming else quiet + 1
        if quiet == 2 and spans:
            spans[-1] = spans[-1][0], min(spans[-1][1], until)
    return found


def weekly_rows(weekend: float, number: int, seed: int, moved: float = 0.0, rows: int = 60) -> dict[str, Any]:
    chance, clock = np.random.default_rng([seed, number]), 2 * np.pi * (number % 24) / 24
    off = weekend if (number // 24) % 7 >= 5 else 0.0
    mix = np.array([0.6 - off / 3, 0.3 + off / 6, 0.1 + off / 6])
    return {
        "age": chance.normal(40 + 10 * (off + moved), 10, rows),
        "load": 50 + 20 * np.sin(clock) + chance.normal(0, 4, rows),
        "plan": chance.choice(3, rows, p=mix),
        "said": chance.choice(2, rows, p=[0.7, 0.3]),
        "right": chance.random(rows) < 0.9 - 0.03 * (off > 0) + 0.02 * np.sin(clock),
    }


def weekly_reference(weekend: float) -> ReferenceProfile:
    hours = [weekly_rows(weekend, number, 99) for number in range(4 * WEEK)]
    whole = {name: np.concatenate([hour[name] for hour in hours]) for name in hours[0]}
    said = tally_codes(whole["said"], ("0", "1"), ("0", "1"))
    features = {name: distribution(Numbers(whole[name])) for name in ("age", "load")}
    features["plan"] = tally_codes(whole["plan"], PLANS, PLANS)
    return ReferenceProfile("model", "run", len(whole["age"]), features, said, said)


def weekly_hour(
    reference: ReferenceProfile, weekend: float, number: int, seed: int, moved: float = 0.0
) -> WindowProfile:
    rows = weekly_rows(weekend, number, seed, moved)
    columns: dict[str, Column] = {name: Numbers(rows[name]) for name in ("age", "load")}
    columns["plan"] = Texts(rows["plan"], PLANS)
    tally = replace(
        tally_columns(columns, reference),
        prediction=tally_codes(rows["said"], ("0", "1"), ("0", "1")),
        outcomes=Outcomes(len(rows["right"]), int(rows["right"].sum())),
    )
    return WindowProfile("model", "1", WEEKS_BEGIN + timedelta(hours=number), {"a": tally})


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
        halves += read_events(content, headers).halves
        if len(halves) >= 2 * batch:
            profiled += profiled_of(halves, reference)
            halves = []
    profiled += profiled_of(halves, reference)
    seconds = time.process_time() - began
    print(f"{count / seconds:,.0f} records/s of {len(columns)} features on one core, {profiled:,} of them profiled;")
    print(f"{peak:.0f} MB for a batch of {batch:,}")


def took(sent: list[tuple[bytes, dict[str, str]]], reference: ReferenceProfile) -> None:
    profiled_of([half for content, headers in sent for half in read_events(content, headers).halves], reference)


def profiled_of(halves: list[Half], reference: ReferenceProfile) -> int:
    records = [record for pair in paired(halves)[0] for record in pair.records().records]
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
