"""The knowledge over HTTP: upload documents, ask, list and delete."""

import base64
import binascii
import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from bot.routes import Routes
from pipelines.ask.desk import AskDesk
from pipelines.ask.ingests import Ingest
from pipelines.ask.questions import Question
from pipelines.ask.taking import LARGEST_BYTES
from pipelines.ask.values import Document
from pipelines.errors import Refused

# An upload is answered when it is in the index, or after this long with where to look.
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.05
ADDED_BY = "HTTP"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Upload(Strict):
    """A document; `content` is base64. Without `channels`, everybody may read answers from it."""

    filename: str = Field(min_length=1, max_length=255)
    content: str
    channels: list[str] = Field([], max_length=50)
    title: str = Field("", max_length=150)


class Uploaded(BaseModel):
    """How an upload goes: `state` is added, replaced, unchanged, failed, or not there yet."""

    upload: str
    state: str
    document: str = ""
    title: str = ""
    words: int = 0
    chunks: int = 0
    reason: str = ""


class Asked(Strict):
    """A question. With `channel`, also the documents that only this channel may read."""

    question: str = Field(max_length=100_000)
    channel: str = Field("", max_length=120)


class CitedSentence(BaseModel):
    text: str
    citations: list[int]


class CitedSource(BaseModel):
    number: int
    document: str
    title: str
    headings: list[str]
    url: str
    origin: str
    lines: list[int]


class Answered(BaseModel):
    """`state` is answered or unknown; then `sources` are the nearest documents. `written_by` is empty where no
    language model worded it; `notice` says why, where one should have."""

    id: str
    state: str
    answer: str
    sentences: list[CitedSentence]
    sources: list[CitedSource]
    written_by: str
    notice: str


class Listed(BaseModel):
    id: str
    title: str
    source: str
    kind: str
    url: str
    channels: list[str]
    words: int
    added_at: str
    added_by: str


UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": Upload.model_json_schema(),
                "example": {"filename": "runbook.md", "content": base64.b64encode(b"# Runbook\n").decode()},
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "channels": {"type": "string", "description": "names, separated by commas"},
                        "title": {"type": "string"},
                    },
                }
            },
        },
    }
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Refused; `detail` says what to do"},
    401: {"description": "No bearer token, or a wrong one"},
    403: {"description": "No tokens are configured"},
    413: {"description": "The body is too large"},
    503: {"description": "Something we depend on did not answer; see Retry-After"},
}


def knowledge_routes(desk: AskDesk, wait_seconds: float = WAIT_SECONDS) -> Routes:
    router = APIRouter(tags=["knowledge"], responses=REFUSALS)

    @router.post("/upload", openapi_extra=UPLOAD_BODY, status_code=201)
    async def upload(request: Request, response: Response) -> Uploaded:
        """Add a document: Markdown, text, HTML, PDF, DOCX or a notebook. The same name again replaces it.

        201 when it is in the index, 202 while that takes longer; then GET /uploads/{upload} tells."""
        name, content, channels, title = await _read(request)
        begun = await run_in_threadpool(desk.upload, name, content, channels, title, ADDED_BY)
        ended = await run_in_threadpool(_await, desk, begun, wait_seconds)
        if ended.stage == "failed":
            raise Refused(ended.reason)
        response.status_code = 201 if ended.finished else 202
        return _uploaded(ended)

    @router.get("/uploads/{upload}")
    def state(upload: str) -> Uploaded:
        """How an upload goes."""
        if (ingest := desk.ingest(upload)) is None:
            raise HTTPException(404, "There is no such upload.")
        return _uploaded(ingest)

    @router.post("/query")
    def query(asked: Asked) -> Answered:
        """Answer a question from the documents, each sentence with the numbers of its sources."""
        return _answered(desk.answer_now(asked.question, asked.channel, ADDED_BY))

    @router.get("/documents")
    def documents(channel: Annotated[str, Query(description="only what this channel may read")] = "") -> list[Listed]:
        """The documents, newest first."""
        wanted = desk.channels.find(channel) if channel else ""
        found = desk.all_documents()
        return [_listed(one) for one in found if not wanted or not one.channels or wanted in one.channels]

    @router.delete("/documents/{document}", status_code=204)
    def delete(document: str) -> Response:
        """Delete a document. Nothing of it is found from then on."""
        if desk.discard(document) is None:
            raise HTTPException(404, "There is no such document. GET /documents lists them.")
        return Response(status_code=204)

    # Base64 makes four bytes of three, and a form has some lines around the file.
    return Routes(router, body_limit=LARGEST_BYTES * 4 // 3 + 100_000)


async def _read(request: Request) -> tuple[str, bytes, Sequence[str], str]:
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "multipart/form-data":
        return await _read_form(request)
    try:
        sent = Upload.model_validate_json(await request.body())
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the body"
        raise Refused(f'{where}: {fault["msg"]}. Send {{"filename": …, "content": base64, "channels": […]}}.') from None
    try:
        content = base64.b64decode("".join(sent.content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("content is not base64.") from None
    return _name(sent.filename), content, sent.channels, sent.title


async def _read_form(request: Request) -> tuple[str, bytes, Sequence[str], str]:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Refused("The form has no file. Send it as `file`, for example: curl -F file=@runbook.md")
        channels = [name.strip() for name in str(form.get("channels") or "").split(",") if name.strip()]
        return _name(file.filename), await file.read(), channels, str(form.get("title") or "")[:150]


def _name(name: str) -> str:
    """The last part of the name: some clients send a path."""
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    if not last or any(ord(letter) < 32 for letter in last):
        raise Refused("The file needs a name such as runbook.md.")
    return last[:255]


def _await(desk: AskDesk, ingest: Ingest, seconds: float) -> Ingest:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = desk.ingest(ingest.id) or ingest
        if now.finished:
            return now
        time.sleep(POLL_SECONDS)
    return desk.ingest(ingest.id) or ingest


def _uploaded(ingest: Ingest) -> Uploaded:
    return Uploaded(
        upload=ingest.id, state=ingest.stage, document=ingest.document_id, title=ingest.title, words=ingest.words,
        chunks=ingest.chunks, reason=ingest.reason,
    )  # fmt: skip


def _answered(question: Question) -> Answered:
    answer = question.answer
    return Answered(
        id=question.id, state=question.state, answer=answer.text if answer else "",
        sentences=[CitedSentence(text=one.text, citations=list(one.citations)) for one in answer.sentences]
        if answer else [],
        sources=[
            CitedSource(
                number=one.number, document=one.document_id, title=one.title, headings=list(one.headings),
                url=one.url, origin=one.origin, lines=[one.first_line, one.last_line],
            )
            for one in answer.sources
        ] if answer else [],
        written_by=answer.written_by if answer else "", notice=answer.notice if answer else "",
    )  # fmt: skip


def _listed(document: Document) -> Listed:
    return Listed(
        id=document.id, title=document.title, source=document.source, kind=document.kind, url=document.url,
        channels=list(document.channels), words=document.words, added_at=document.added_at.isoformat(),
        added_by=document.added_by,
    )  # fmt: skip
