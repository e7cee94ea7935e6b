"""What shipmate.yaml says about drift: which alerts mean it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.catalogue.shapes import Entry
from pipelines.drift.alerts import MODEL_LABELS

LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
Kind = Literal["performance", "prediction shift", "confidence", "data drift", "no records", "ignored"]


class AlertsEntry(Entry):
    names: dict[str, Kind] = Field({}, examples=["{ChurnScoreTooLow: performance}"])
    """What an alert of Alertmanager with this name says of a model: performance, prediction shift, confidence,
    data drift or no records have it looked at, ignored does not. Others are known by the words in their names, such as
    ModelAccuracyLow or PredictionShift."""
    labels: list[LabelName] = Field(list(MODEL_LABELS), min_length=1, examples=["[model, inferenceservice]"])
    """Labels of an alert that name its model, the first that does counts."""
