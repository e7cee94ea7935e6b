"""Answers of models: a prediction a row and how sure the model was, whichever protocol it speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.drift.records import confidence_of
from pipelines.drift.signatures import Signature
from pipelines.drift.tensors import Tensor, is_tensor, read_tensor
from pipelines.errors import Refused

Said = tuple[Any, float | None]
NOTHING: Said = (None, None)
# What a row has no prediction for, or only a part.
Gap = Literal["error", "rows", "scores", "answer", "lost"]
PREDICTED = (
    "prediction", "predicted", "predict", "label", "class", "class_name", "class_ids", "class_id", "classes", "output",
    "value", "y_pred",
)  # fmt: skip
SURE = ("confidence", "probability", "score")
SCORES = ("probabilities", "predict_proba", "scores", "proba", "probability", "softmax")


@dataclass(slots=True)
class Answers:
    """`said` a row, in their order. `gap` is why predictions are missing, in one word and, in `why`, a sentence."""

    said: Sequence[Said] = ()
    gap: Gap | None = None
    why: str = ""
    without: int = 0


def answers_of(body: Mapping[str, Any], signature: Signature, rows: int) -> Answers:
    """What the model said to a request of so many rows."""
    reader = _Reader(signature)
    try:
        said = reader.read(body)
    except Refused as refusal:
        return Answers(gap="answer", why=str(refusal), without=rows)
    if said is None:
        error = body.get("error", body.get("detail"))
        told = "with an error" if error is not None else "without `predictions`, `outputs` or `data`"
        return Answers(gap="error", why=f"The model answered {told}.", without=rows)
    if rows == 1 and len(said) == len(signature.classes) > 1 and reader.flat_scores(said):
        said = [reader.output([value for value, _ in said])]
    if len(said) != rows:
        return Answers(
            gap="rows", why=f"The model answered {len(said):,} rows where {rows:,} were asked.", without=rows
        )
    if reader.odd:
        return Answers(said, "answer" if signature.numeric else "scores", reader.odd, reader.odd_rows)
    return Answers(said)


def answer_of(value: Any, signature: Signature, sure: float | None = None) -> Said:
    """A lone answer, and how sure the model was where that did not come beside it."""
    if not signature.classes and not signature.numeric:
        return value, sure
    said, confidence = _Reader(signature).output(value)
    return said, sure if sure is not None else confidence


class _Reader:
    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self.odd = ""
        self.odd_rows = 0

    def read(self, body: Mapping[str, Any]) -> Sequence[Said] | None:
        """None where there is no answer at all."""
        for name in ("predictions", "outputs"):
            given = body.get(name)
            if isinstance(given, dict):
                return self._columns(given)
            if isinstance(given, list) and name == "outputs" and given and all(map(is_tensor, given)):
                return self._tensors([read_tensor(tensor) for tensor in given])
            if isinstance(given, list):
                return [self.output(value) for value in given]
        data = body.get("data")
        if isinstance(data, dict) and isinstance(data.get("ndarray"), list):
            return [self.output(value) for value in data["ndarray"]]
        if isinstance(data, dict) and isinstance(data.get("tensor"), dict):
            tensor = data["tensor"]
            read = read_tensor({"shape": tensor.get("shape"), "data": tensor.get("values")})
            return [self.output(value) for value in read.rows]
        return None

    def flat_scores(self, said: Sequence[Said]) -> bool:
        """Whether a lone row's scores came one by one."""
        values = [value for value, _ in said]
        return all(isinstance(value, float) and 0 <= value <= 1 for value in values) and abs(sum(values) - 1) < 0.01

    def _columns(self, given: Mapping[str, Any]) -> Sequence[Said]:
        """Objects of columns, as TensorFlow Serving and MLServer's pandas codec have them."""
        tensors = [Tensor(str(name), _values(each), 1) for name, each in given.items()]
        return self._tensors(tensors)

    def _tensors(self, tensors: Sequence[Tensor]) -> Sequence[Said]:
        scores = next((one for one in tensors if self._is_score(one, len(tensors))), None)
        first = next((one for one in tensors if one is not scores), None)
        if first is None:
            return [self.output(value) for value in scores.rows] if scores is not None else []
        said = [self.output(value) for value in first.rows]
        if scores is not None and len(first.rows) == len(scores.rows):
            pairs = zip(first.rows, scores.rows, said, strict=True)
            said = [self._of_classes(names, marks) or other for names, marks, other in pairs]
        sure = [self._sure(value) for value in scores.rows] if scores is not None else []
        if len(sure) != len(said):
            return said
        return [(value, sure[place]) for place, (value, _) in enumerate(said)]

    def _is_score(self, tensor: Tensor, of: int) -> bool:
        return of > 1 and any(word in tensor.name.lower() for word in ("proba", "score", "confidence", "softmax"))

    def _sure(self, value: Any) -> float | None:
        """How sure a score is, or the largest of several, which may stand in an object by class."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            numbers = [each for each in value if _is_number(each)]
            fit = len(numbers) == len(value) > 0 and all(0 <= each <= 1 for each in numbers)
            return float(max(numbers)) if fit else None
        if not _is_number(value) or not 0 <= value <= 1:
            return None
        return float(max(value, 1 - value)) if len(self._signature.classes) == 2 else float(value)

    def output(self, value: Any) -> Said:
        said = self._output(value)
        if self._signature.numeric and said[0] is None and value is not None:
            self.odd_rows += 1
            self.odd = "The model answers with something else than a number."
        return said

    def _output(self, value: Any) -> Said:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return self._list(value)
        return self._signature.said(value)

    def _object(self, value: Mapping[str, Any]) -> Said:
        said = next((_first(value[name]) for name in PREDICTED if name in value), None)
        sure = next((confidence_of(_first(value[name])) for name in SURE if name in value), None)
        scores = next((value[name] for name in SCORES if isinstance(value.get(name), list | dict)), None)
        if isinstance(scores, dict):
            best, largest = _largest(scores)
            return self._signature.said(best if said is None else said, largest if sure is None else sure)
        if scores is not None:
            named = next((self._of_classes(value[name], scores) for name in PREDICTED if name in value), None)
            if named is not None:
                return named
            best, largest = self._list(scores)
            return (best, largest) if said is None else self._signature.said(said, largest if sure is None else sure)
        return self._signature.said(said, sure)

    def _of_classes(self, names: Any, scores: Any) -> Said | None:
        """TensorFlow's classify: all classes of a row beside the scores of each."""
        if not isinstance(names, list) or not isinstance(scores, list) or not len(names) == len(scores) > 1:
            return None
        if not all(map(_is_number, scores)):
            return None
        return self._signature.said(names[scores.index(max(scores))], self._sure(scores))

    def _list(self, value: list[Any]) -> Said:
        """Scores by class, or a lone answer in lists."""
        while len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        if len(value) < 2 or self._signature.numeric:
            return self._signature.said(value[0]) if value else NOTHING
        if not all(map(_is_number, value)):
            return self._signature.said(value[0])
        classes, sure = self._signature.classes, self._sure(value)
        if len(classes) == len(value):
            return classes[value.index(max(value))], sure
        if classes and not set(classes) <= {str(place) for place in range(len(value))}:
            self.odd_rows += 1
            self.odd = (
                f"The model gives {len(value):,} scores where training knows {len(classes):,} classes. Name them in "
                "their order as `records.classes` of the model."
            )
            return None, sure
        return (value.index(max(value)), sure) if sure is not None else (value[0], None)


def _largest(scores: Mapping[Any, Any]) -> Said:
    """Scores by the name of their class."""
    numbers = {str(name): score for name, score in scores.items() if _is_number(score)}
    best = max(numbers, key=lambda name: numbers[name], default=None)
    return best, confidence_of(numbers[best]) if best is not None else None


def _values(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
