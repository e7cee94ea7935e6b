"""What a model reads and what it says: by it, places and scores in its answers become the classes that labels name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pipelines.drift.records import as_category
from pipelines.profiles import Categories, ReferenceProfile

LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Signature:
    """`columns` in their order, `classes` in the order of the model's scores; both are empty where they are not known.

    `numeric` for a model whose answers are numbers.
    """

    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    numeric: bool = False
    names: frozenset[str] = field(init=False, compare=False)
    meant: Mapping[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(self.columns))
        object.__setattr__(self, "meant", _meanings(self.classes))

    @classmethod
    def of(cls, profile: ReferenceProfile, classes: Sequence[str] = ()) -> Self:
        """That of a version. Classes that nobody named are those of the training data, sorted as numpy.unique does,
        which is the order of scikit-learn's `classes_` and of its LabelEncoder."""
        numeric = not isinstance(profile.target, Categories)
        known = () if numeric else tuple(classes) or _sorted_classes(profile)
        return cls(tuple(profile.features), known, numeric)

    def said(self, value: Any, sure: float | None = None) -> tuple[Any, float | None]:
        """Prediction and confidence. The place of a class is the class; of two classes one score between 0 and 1
        is that of the second, as a sigmoid gives it."""
        if self.numeric:
            return (value if finite(value) is not None else None), sure
        if not self.classes:
            return value, sure
        text = as_category(value) or ""
        if text in self.meant:
            return self.meant[text], sure
        if len(self.classes) == 2 and isinstance(value, float) and 0 < value < 1 and text not in self.classes:
            return self.classes[value >= 0.5], max(value, 1 - value) if sure is None else sure
        return value, sure

    def actual(self, label: Any) -> str:
        """A label as predictions are written; "" for one that is none, such as NaN, a list, or a word for a number."""
        if isinstance(label, list | dict):
            return ""
        text = as_category(label) or ""
        if self.numeric:
            return text if finite(text) is not None else ""
        return self.meant.get(text, text)


def finite(value: Any) -> float | None:
    """The number that a value is; None for what is none, or too large for the sum of its squares."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < LARGEST else None


def _sorted_classes(profile: ReferenceProfile) -> tuple[str, ...]:
    target = profile.target
    if not isinstance(target, Categories) or target.other or target.named_apart:
        return ()
    names = [name for name, count in target.counts.items() if count]
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))


def _meanings(classes: Sequence[str]) -> dict[str, str]:
    """Other ways to say a class: its place, where no class is a number; true and false for 1 and 0."""
    if set(classes) == {"0", "1"}:
        return {"False": "0", "True": "1"}
    if any(finite(name) is not None for name in classes):
        return {}
    return {str(place): name for place, name in enumerate(classes)}
