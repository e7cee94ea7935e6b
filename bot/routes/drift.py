"""Inference records and late labels over HTTP."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from bot.drift_groups import DeliveryGroups
from bot.routes import Direct, Routes
from pipelines.drift.bodies import GZIP, unpacked
from pipelines.drift.intake import Intake
from pipelines.drift.receiving import Delivery, Receiver
from pipelines.drift.receiving import Taken as Received
from pipelines.errors import Refused

BODY_LIMIT = 8_000_000  # a batch of KServe's logger, with rows of some hundred columns
# A sender that died in the middle of a body keeps its room no longer than this.
BODY_SECONDS = 60.0
SMALL = 64_000  # comes at once; thousands of them may be cut off before anything is full


class Taken(BaseModel):
    """How many records are kept now, and about how many requests and responses wait for their other half. Of several
    events, or rows, some may be refused, others taken without their prediction or a column; `reason` says why."""

    records: int
    waiting: int
    refused: int = 0
    incomplete: int = 0
    reason: str = ""


class Labels(BaseModel):
    """What came true, by record id: the name of a class, its place among the model's scores, or a number. For a batch
    of rows the ids are those of the request with #0, #1 … behind it."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=120)
    labels: dict[str, Any] = Field(max_length=100_000)


class Labelled(BaseModel):
    """How many labels are new beside their prediction, and how many wait for theirs. The first label of a record
    counts: `repeated` say the same again, `changed` something else. `refused` are none; `reason` says why."""

    met: int
    waiting: int
    repeated: int = 0
    changed: int = 0
    refused: int = 0
    reason: str = ""


def drift_routes(receiver: Receiver, intake: Intake) -> Routes:
    router = APIRouter(tags=["drift"])
    groups = DeliveryGroups(receiver.take)

    async def unpack(packed: bytes, encoding: str, attributes: Mapping[str, str]) -> Received:
        """What a body becomes that comes packed needs room as well."""
        try:
            content = unpacked(packed, encoding)
        except Refused as refusal:
            raise receiver.turned_away(f"The body {refusal}") from None
        with groups.room(len(content)):
            return await groups.add(Delivery(content, attributes))

    async def take(request: Request) -> Response:
        """Binary, structured or batched; requests and responses in any order, also twice. When it answers, what it
        took is stored."""
        attributes, length, packed = _sent(request)
        with groups.room(length):
            content = await (request.body() if length <= SMALL else _body(request))
            if packed or content[:2] == GZIP:
                taken = await unpack(content, packed, attributes)
            else:
                taken = await groups.add(Delivery(content, attributes))
        if not (taken.refused or taken.incomplete):
            return Response(
                b'{"records":%d,"waiting":%d}' % (taken.records, taken.waiting), media_type="application/json"
            )
        answer = Taken(
            records=taken.records, waiting=taken.waiting, refused=taken.refused, incomplete=taken.incomplete,
            reason=taken.reason,
        )  # fmt: skip
        return Response(answer.model_dump_json(exclude_defaults=True), media_type="application/json")

    router.add_api_route(
        "/inference", take, methods=["POST"], response_model=Taken, route_class_override=Direct,
        summary="CloudEvents of KServe's inference logger",
    )  # fmt: skip

    @router.post(
        "/labels", summary="Labels of earlier predictions, also days late", response_model_exclude_defaults=True
    )
    async def label(asked: Labels) -> Labelled:
        taken = await run_in_threadpool(intake.label, asked.model, asked.labels)
        kept = taken.kept
        return Labelled(
            met=kept.met, waiting=kept.waiting, repeated=kept.repeated, changed=kept.changed, refused=taken.refused,
            reason=taken.reason,
        )  # fmt: skip

    return Routes(router, body_limit=BODY_LIMIT)


def _sent(request: Request) -> tuple[dict[str, str], int, str]:
    """The headers of CloudEvents' binary mode, the length of the body, or the most it may be, and how it is packed."""
    attributes, length, packed = {}, BODY_LIMIT, ""
    for name, value in request.scope["headers"]:
        if name[:3] == b"ce-":
            attributes[name.decode("latin-1")] = value.decode("latin-1")
        elif name == b"content-length":
            length = int(value)
        elif name == b"content-encoding":
            packed = value.decode("latin-1")
    return attributes, length, packed


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.body()
    except TimeoutError:
        raise HTTPException(408, f"The body did not come within {BODY_SECONDS:.0f} seconds.") from None
