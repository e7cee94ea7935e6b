"""Inference records and late labels over HTTP."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from bot.routes import Routes
from pipelines.drift.intake import Intake
from pipelines.drift.records import as_category

BODY_LIMIT = 8_000_000  # a batch of KServe's logger, with rows of some hundred columns


class Taken(BaseModel):
    """How many records are kept now, and how many requests and responses wait for their other half. Of a delivery of
    several events some may be refused; `reason` says why the first was."""

    records: int
    waiting: int
    refused: int = 0
    reason: str = ""


class Labels(BaseModel):
    """What came true, by record id. For a batch of rows the ids are those of the request with #0, #1 … behind it."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=120)
    labels: dict[str, str | int | float | bool] = Field(max_length=100_000)


class Labelled(BaseModel):
    """How many labels met their prediction; the others wait for theirs."""

    met: int
    waiting: int


def drift_routes(intake: Intake) -> Routes:
    router = APIRouter(tags=["drift"])

    @router.post("/inference", summary="CloudEvents of KServe's inference logger", response_model_exclude_defaults=True)
    async def take(request: Request) -> Taken:
        """Binary, structured or batched; requests and responses in any order, also twice."""
        content = await request.body()
        taken = await run_in_threadpool(intake.take, content, dict(request.headers))
        return Taken(records=taken.records, waiting=taken.waiting, refused=taken.refused, reason=taken.reason)

    @router.post("/labels", summary="Labels of earlier predictions, also days late")
    async def label(asked: Labels) -> Labelled:
        labels = {key: _plain(value) for key, value in asked.labels.items()}
        met = await run_in_threadpool(intake.label, asked.model, labels)
        return Labelled(met=met, waiting=len(labels) - met)

    return Routes(router, body_limit=BODY_LIMIT)


def _plain(value: object) -> str:
    return as_category(value) or ""
