"""What shipmate.yaml says about drift: which alerts mean it, and where inference records lie."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.catalogue.shapes import Entry, Text
from pipelines.drift.alert_rules import MODEL_LABELS

LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
Place = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Kind = Literal["performance", "prediction shift", "confidence", "data drift", "no records", "ignored"]


class AlertsEntry(Entry):
    names: dict[str, Kind] = Field({}, examples=["{ChurnScoreTooLow: performance}"])
    """What an alert of Alertmanager with this name says of a model: performance, prediction shift, confidence,
    data drift or no records have it looked at, ignored does not. Others are known by the words in their names, such as
    ModelAccuracyLow or PredictionShift."""
    labels: list[LabelName] = Field(list(MODEL_LABELS), min_length=1, examples=["[model, inferenceservice]"])
    """Labels of an alert that name its model, the first that does counts."""
    models: dict[Annotated[str, StringConstraints(min_length=1, max_length=4_000)], Text] = Field(
        {}, examples=["{churn-predictor-eu: churn}"]
    )
    """What a label says -> the model of this file, where serving calls it something else."""


class FieldsEntry(Entry):
    """What rows call what is no feature; what is left out is called by its own name."""

    id: Text = Field("id", examples=["request_id"])
    """What tells a record from all others, and by which its label is found."""
    timestamp: Text = Field("timestamp", examples=["at"])
    """When it was asked, ISO 8601 or seconds or milliseconds since 1970."""
    prediction: Text = Field("prediction", examples=["y_pred"])
    """What the model said."""
    confidence: Text = Field("confidence", examples=["score"])
    """How sure it was, 0 to 1."""
    version: Text = Field("version", examples=["model_version"])
    """Which version answered; the champion where there is none."""
    label: Text = Field("label", examples=["y_true"])
    """What came true: in files of labels, or beside the record."""


class SampleEntry(Entry):
    rows: int = Field(5_000, ge=0, le=100_000, examples=["5000"])
    """How many rows are kept at most, newer ones rather than older; 0 keeps none and drops what is there."""
    megabytes: int = Field(10, ge=1, le=1_000, examples=["10"])
    """How much room they may take."""
    days: int = Field(30, ge=1, le=45, examples=["30"])
    """When a row is dropped at the latest."""


class RecordsEntry(Entry):
    files: list[Place] = Field([], examples=["[s3://bucket/churn/*/*.parquet]"])
    """JSONL, CSV or Parquet files of inference records, also packed by gzip: paths or addresses with * and **."""
    labels: list[Place] = Field([], examples=["[s3://bucket/churn-labels/*.csv]"])
    """Files of labels, whenever they come."""
    every_minutes: int = Field(5, ge=1, le=24 * 60, examples=["5"])
    """How often they are looked through for what is new."""
    fields: FieldsEntry = Field(FieldsEntry(), examples=["{id: request_id, prediction: y_pred}"])
    """What the rows call things."""
    ignore: list[Text] = Field([], examples=["[customer_id]"])
    """Other fields that are no features."""
    sample: SampleEntry = Field(SampleEntry(), examples=["{rows: 0}"])
    """Rows that are kept with their features in the bot's database, to try whether retraining would help."""
    remember: int = Field(2_000_000, ge=10_000, le=1_000_000_000, examples=["2000000"])
    """How many records are known by their ids, each counted once and met by its label; the oldest are forgotten
    first, and all after 45 days."""
    versions: dict[str, Annotated[int, Field(ge=1)]] = Field({}, examples=["{churn-predictor-00012: 7}"])
    """What serving calls a version -> its number in the registry. Numbers and v7 need no entry."""
    classes: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        [], max_length=1_000, examples=["[stays, leaves]"]
    )
    """The classes in the order of the model's scores, as labels name them; those of the training data, sorted, when
    left out."""
