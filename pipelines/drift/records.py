"""Inference records, and the hourly profiles that they become. JSONL and Parquet rows are whole records already."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipelines.drift.windows import Outcomes, Tally, WindowProfile
from pipelines.errors import Refused
from pipelines.profiles import (
    Categories,
    Distribution,
    Numbers,
    ReferenceProfile,
    tally_categories,
    tally_few,
    tally_numbers,
)

# A record from further in the future than this comes from a clock that is wrong: it counts when it was received.
CLOCK_SKEW = timedelta(minutes=5)
LONGEST_ID = 200
# Seconds since 1970 reach the year 5138 here; a larger number counts milliseconds.
SECONDS_END = 1e11
SECONDS_A_DAY = 86_400
# As training reads booleans (pipelines/retrain/columns.py).
TRUE_WORDS = frozenset({"true", "yes", "y", "t"})
FALSE_WORDS = frozenset({"false", "no", "n", "f"})
# Below so many values numpy's calls cost more than the counting.
FEW = 40


@dataclass(frozen=True, slots=True)
class InferenceRecord:
    """One row that was asked about. `prediction` is None where the answer was lost on the way."""

    id: str
    model: str
    version: str
    at: datetime
    features: Mapping[str, Any]
    prediction: Any = None
    confidence: float | None = None


def record_id(given: Any) -> str:
    """An identifier as it is, or a digest of one that is longer than any database likes its keys."""
    text = storable(str(given))
    return text if len(text) <= LONGEST_ID else hashlib.sha256(text.encode()).hexdigest()


def storable(text: str) -> str:
    """Without what databases do not take: NUL, and halves of surrogate pairs, which JSON can spell."""
    plain = text.replace("\0", "")
    return plain if plain.isascii() else plain.encode(errors="replace").decode()


def moment_of(given: Any) -> datetime:
    """The moment in UTC that a text, or a number of seconds or milliseconds since 1970, names; else this one."""
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return datetime.fromtimestamp(given / 1000 if abs(given) > SECONDS_END else given, UTC)
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def counted_at(at: datetime, received: datetime) -> datetime:
    """The moment that a record counts at: its own, or where its clock is wrong that at which it was received."""
    return at if at <= received + CLOCK_SKEW else received


def hour_of(at: datetime, received: datetime) -> datetime:
    """The hour that a record counts in."""
    return counted_at(at, received).astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a JSONL or Parquet row keeps what is no feature; an empty name means that it has none."""

    id: str = "id"
    timestamp: str = "timestamp"
    prediction: str = "prediction"
    confidence: str = "confidence"
    version: str = "version"
    others: frozenset[str] = field(default_factory=frozenset)


def read_row(row: Mapping[str, Any], model: str, fields: Fields) -> InferenceRecord:
    """A record from a row of a file. A row without an id is known by what it holds."""
    special = {fields.id, fields.timestamp, fields.prediction, fields.confidence, fields.version} | fields.others
    features = {name: value for name, value in row.items() if name not in special}
    given = row.get(fields.id)
    digest = (
        hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()[:24] if given is None else ""
    )
    confidence = row.get(fields.confidence)
    return InferenceRecord(
        record_id(given) if given is not None else digest, model, storable(str(row.get(fields.version) or "")),
        moment_of(row.get(fields.timestamp)), features, row.get(fields.prediction),
        confidence_of(confidence),
    )  # fmt: skip


def confidence_of(given: Any) -> float | None:
    if not isinstance(given, int | float):
        return None
    return _number(given)


def read_lines(lines: Iterable[str | bytes], model: str, fields: Fields) -> Iterator[InferenceRecord]:
    """Records of a JSONL file; a cut off last line is passed over, any other mistake is refused with its number."""
    broken = 0
    for number, line in enumerate(lines, 1):
        if broken:
            raise Refused(f"Line {broken} is no JSON object.")
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            broken = number
            continue
        if not isinstance(row, dict):
            raise Refused(f"Line {number} is no JSON object.")
        yield read_row(row, model, fields)


def profile_records(
    records: Iterable[InferenceRecord], reference: ReferenceProfile, received: datetime
) -> list[WindowProfile]:
    """The records of one model as profiles, one a version and hour; of two with one id the first counts.

    The id of the batch is made of the ids of its records: the same records again are the same batch.
    """
    grouped: dict[tuple[str, str, datetime], dict[str, InferenceRecord]] = {}
    for record in records:
        hour = hour_of(record.at, received)
        grouped.setdefault((record.model, record.version, hour), {}).setdefault(record.id, record)
    found = []
    for (model, version, hour), members in sorted(grouped.items()):
        digest = hashlib.sha256("\0".join(sorted(members)).encode()).hexdigest()[:32]
        tally = _tally(list(members.values()), reference)
        found.append(WindowProfile(model, version, hour, {digest: tally}))
    return found


def _tally(records: Sequence[InferenceRecord], reference: ReferenceProfile) -> Tally:
    features = {
        name: _tally_like(distribution, [record.features.get(name) for record in records])
        for name, distribution in reference.features.items()
    }
    said = [record.prediction for record in records if record.prediction is not None]
    sure = [record.confidence for record in records if record.confidence is not None]
    confidence = _tally_like(reference.confidence, sure) if reference.confidence is not None and sure else None
    return Tally(
        len(records),
        features,
        _tally_like(reference.prediction, said) if said else None,
        confidence if isinstance(confidence, Numbers) else None,
    )


def _tally_like(distribution: Distribution, values: Sequence[Any]) -> Distribution:
    if isinstance(distribution, Categories):
        return tally_categories([as_category(value) for value in values], list(distribution.counts))
    if len(values) < FEW:
        return tally_few([_cell(value) for value in values], distribution.edges)
    import numpy as np

    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.array(())
    if numbers.shape != (len(values),):  # lists, objects, texts or numbers beyond all bounds among them
        numbers = np.array([_cell(value) for value in values], dtype=np.float64)
    return tally_numbers(numbers, distribution.edges)


def as_category(value: Any) -> str | None:
    """A value as the category that training knows it by: whole floats without their .0."""
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _cell(value: Any) -> float:
    """A feature as training reads it: dates as days since 1970, and words for yes and no as 1 and 0."""
    if isinstance(value, float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return _worded(value)


def _worded(value: Any) -> float:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in TRUE_WORDS or word in FALSE_WORDS:
            return float(word in TRUE_WORDS)
    elif not isinstance(value, date):
        return float("nan")
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() / SECONDS_A_DAY
    except (ValueError, OverflowError):
        return float("nan")


def _number(value: Any) -> float:
    if isinstance(value, float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def outcome_of(prediction: str, label: str) -> Outcomes:
    """What one label says of one prediction, both as texts."""
    said, actual = _number(prediction), _number(label)
    right = prediction == label or (said == actual)
    error = abs(said - actual) if said == said and actual == actual else 0.0
    return Outcomes(1, int(right), error, {prediction: {label: 1}}, error * error)
