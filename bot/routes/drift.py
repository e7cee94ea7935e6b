"""Inference records and late labels over HTTP."""

import asyncio

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from bot.drift_groups import DeliveryGroups
from bot.routes import Direct, Routes
from pipelines.drift.intake import Intake
from pipelines.drift.receiving import Delivery, Receiver
from pipelines.drift.records import as_category

BODY_LIMIT = 8_000_000  # a batch of KServe's logger, with rows of some hundred columns
# A sender that died in the middle of a body keeps its room no longer than this.
BODY_SECONDS = 60.0
SMALL = 64_000  # comes at once; thousands of them may be cut off before anything is full


class Taken(BaseModel):
    """How many records are kept now, and about how many requests and responses wait for their other half. Of a
    delivery of several events some may be refused; `reason` says why the first was."""

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


def drift_routes(receiver: Receiver, intake: Intake) -> Routes:
    router = APIRouter(tags=["drift"])
    groups = DeliveryGroups(receiver.take)

    async def take(request: Request) -> Response:
        """Binary, structured or batched; requests and responses in any order, also twice. When it answers, what it
        took is stored."""
        length = int(request.headers.get("content-length", BODY_LIMIT))
        with groups.room(length):
            content = await (request.body() if length <= SMALL else _body(request))
            taken = await groups.add(Delivery(content, _attributes(request)))
        answer = Taken(records=taken.records, waiting=taken.waiting, refused=taken.refused, reason=taken.reason)
        return Response(answer.model_dump_json(exclude_defaults=True), media_type="application/json")

    router.add_api_route(
        "/inference", take, methods=["POST"], response_model=Taken, route_class_override=Direct,
        summary="CloudEvents of KServe's inference logger",
    )  # fmt: skip

    @router.post("/labels", summary="Labels of earlier predictions, also days late")
    async def label(asked: Labels) -> Labelled:
        labels = {key: _plain(value) for key, value in asked.labels.items()}
        met = await run_in_threadpool(intake.label, asked.model, labels)
        return Labelled(met=met, waiting=len(labels) - met)

    return Routes(router, body_limit=BODY_LIMIT)


def _attributes(request: Request) -> dict[str, str]:
    """The headers of CloudEvents' binary mode."""
    given = request.scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in given if name[:3] == b"ce-"}


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise HTTPException(408, f"The body did not come within {BODY_SECONDS:.0f} seconds.") from None


def _plain(value: object) -> str:
    return as_category(value) or ""
