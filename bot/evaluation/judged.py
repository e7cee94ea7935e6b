"""Judged retrieval sets in BEIR's form: corpus.jsonl, queries.jsonl, qrels.tsv, each maybe compressed (.gz)."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import Refused


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """`corpus`: id -> (title, text). `judgements`: query id -> document id -> grade; above 0 is relevant."""

    corpus: Mapping[str, tuple[str, str]]
    queries: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, float]]


def read_judged_set(folder: Path) -> JudgedSet:
    """Of two rows of one id the first counts. Raises Refused, naming file and line, for what cannot be read."""
    corpus: dict[str, tuple[str, str]] = {}
    for row in _rows(folder, "corpus.jsonl"):
        corpus.setdefault(str(row["_id"]), (_string(row, "title"), _string(row, "text")))
    queries: dict[str, str] = {}
    for row in _rows(folder, "queries.jsonl"):
        queries.setdefault(str(row["_id"]), _string(row, "text"))
    return JudgedSet(corpus, queries, _judgements(folder))


def _judgements(folder: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for number, line in _lines(folder, "qrels.tsv"):
        fields = line.split("\t") if "\t" in line else line.split()
        if number == 1 and fields[:1] == ["query-id"]:
            continue
        if len(fields) == 4:  # trec's own form has a second column that nobody uses
            fields.pop(1)
        try:
            query, document, grade = (field.strip() for field in fields)
            found.setdefault(query, {})[document] = float(grade)
        except ValueError:
            where = f"{folder}/qrels.tsv:{number}"
            raise Refused(f"{where} should be: query-id, corpus-id, score, with tabs between.") from None
    return found


def _rows(folder: Path, name: str) -> Iterator[dict[str, object]]:
    for number, line in _lines(folder, name):
        try:
            row = json.loads(line)
            row["_id"]
        except (ValueError, KeyError, TypeError):
            raise Refused(f"{folder}/{name}:{number} is no JSON object with an _id.") from None
        yield row


def _lines(folder: Path, name: str) -> Iterator[tuple[int, str]]:
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        is_plain = plain.exists() or not packed.exists()
        with plain.open("rb") if is_plain else gzip.open(packed) as raw:
            # Lines end at \n alone: texts may hold the other line breaks of Unicode.
            for number, line in enumerate(raw, 1):
                if text := line.decode("utf-8-sig", errors="replace").rstrip("\r\n"):
                    yield number, text
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refused(f"{plain} cannot be read: {reason}. `--data` names a folder with three files.") from error


def _string(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
