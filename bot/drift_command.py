"""`shipmate drift`: two tables of a model's rows, judged without a bot."""

import argparse
import csv
import gzip
import io
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--reference", required=True, metavar="FILE", help="rows as they were: CSV or Parquet, .gz too")
    parser.add_argument("--current", required=True, metavar="FILE", help="rows as they are now")
    parser.add_argument("--labels", metavar="FILE", help="outcomes of the current rows, by id or in the same order")
    parser.add_argument("--importance", metavar="FILE", help="JSON {feature: weight} or CSV feature,importance")
    for role in ("prediction", "score", "target", "timestamp"):
        told = f"the {role}'s column, where its name does not say"
        parser.add_argument(f"--{role}", default="", metavar="COLUMN", help=told)
    parser.add_argument("--ignore", default="", metavar="COLUMNS", help="columns to leave out, separated by commas")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(asked: argparse.Namespace) -> int:
    """Judge and print; the exit code is 0 whatever the verdict."""
    from bot.clients.drift_tables import read_table
    from pipelines.drift.examine import examine
    from pipelines.drift.report import document, sentences
    from pipelines.drift.roles import Wish

    began = time.perf_counter()
    ignore = tuple(name.strip() for name in asked.ignore.split(",") if name.strip())
    wish = Wish(asked.prediction, asked.score, asked.target, asked.timestamp, ignore)
    importance = read_importance(asked.importance) if asked.importance else {}
    labels = read_table(asked.labels) if asked.labels else None
    verdict = examine(read_table(asked.reference), read_table(asked.current), labels, wish, importance)
    seconds = time.perf_counter() - began
    if asked.json:
        shown = json.dumps(document(verdict, seconds), ensure_ascii=False, allow_nan=False)
    else:
        shown = "\n".join([*sentences(verdict), f"({seconds:.2f} s)"])
    sys.stdout.write(shown + "\n")
    return 0


def read_importance(path: str) -> dict[str, float]:
    """Weights by feature. Raises Refused for what is neither a JSON object of numbers nor a CSV of two columns."""
    name = f"`{Path(path).name}`"
    try:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, EOFError) as mistake:
        raise Refused(f"{name} cannot be read: {mistake}.") from None
    rows = _from_json(text, name) if text.lstrip().startswith(("{", "[")) else _from_csv(text, name)
    found = {}
    for feature, weight in rows:
        try:
            number = float(weight)
        except (TypeError, ValueError):
            raise Refused(f"{name}: the importance of `{feature}` is no number.") from None
        if not math.isfinite(number):
            raise Refused(f"{name}: the importance of `{feature}` is no finite number.")
        found[str(feature)] = abs(number)
    return found


def _from_json(text: str, name: str) -> list[tuple[Any, Any]]:
    try:
        document = json.loads(text)
    except ValueError as mistake:
        raise Refused(f"{name} is not well-formed JSON: {mistake}.") from None
    if isinstance(document, dict):
        return list(document.items())
    if all(isinstance(row, dict) and "feature" in row and "importance" in row for row in document):
        return [(row["feature"], row["importance"]) for row in document]
    raise Refused(f'{name} should hold {{"feature": importance, …}}.')


def _from_csv(text: str, name: str) -> list[tuple[Any, Any]]:
    rows = [row for row in csv.reader(io.StringIO(text)) if any(row)]
    if not rows or any(len(row) < 2 for row in rows):
        raise Refused(f"{name} should be JSON, or CSV with the columns feature and importance.")
    start = 0 if _is_number(rows[0][1]) else 1
    return [(row[0], row[1]) for row in rows[start:]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
