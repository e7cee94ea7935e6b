"""Logs over HTTP: the same report as `shipmate triage --json`, for scripts and CI that have no Slack."""

import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, get_args

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.datastructures import QueryParams, UploadFile
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from bot.log_reports import BUDGET, LARGEST_BUDGET, LEAST_BUDGET, as_object, report_on
from bot.redaction import Redactor
from bot.routes import Routes
from pipelines.errors import Refused, Unavailable
from pipelines.evidence.values import LogKind
from pipelines.ports import LanguageModel

NDJSON = "application/x-ndjson"
# Each takes a core and some hundred megabytes for as long as it reads; the others wait their turn.
AT_ONCE = 2
MOST_FILES = 50
PIECE = 1 << 20
LONGEST_NAME = 255
YES, NO = ("true", "1", "yes"), ("false", "0", "no", "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query asks for."""

    kind: LogKind | None
    budget: int
    name: str
    explain: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A log that has arrived; `file` stands at its beginning."""

    name: str
    file: IO[bytes]


PARAMETERS: list[dict[str, Any]] = [
    {"name": "kind", "in": "query", "schema": {"enum": list(get_args(LogKind))},
     "description": "what the log is; found out by itself without it"},
    {"name": "budget", "in": "query",
     "schema": {"type": "integer", "minimum": LEAST_BUDGET, "maximum": LARGEST_BUDGET, "default": BUDGET},
     "description": f"tokens of the extract, from {LEAST_BUDGET} to {LARGEST_BUDGET:,}; {BUDGET:,} without it"},
    {"name": "name", "in": "query", "schema": {"type": "string"}, "description": "what the answer calls the log"},
    {"name": "explain", "in": "query", "schema": {"type": "boolean", "default": False},
     "description": "true has the language model word it, where one is configured; nothing leaves without it"},
]  # fmt: skip
FILES = {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
DESCRIBED: dict[str, Any] = {
    "parameters": PARAMETERS,
    "requestBody": {
        "required": True,
        "content": {
            "text/plain": {"schema": {"type": "string", "format": "binary", "description": "the log, plain or .gz"}},
            "multipart/form-data": {"schema": FILES},
        },
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": f"One JSON object a log; several, or with `Accept: {NDJSON}`, one object a line"},
    400: {"description": "Nothing to read; `detail` says why"},
    401: {"description": "No bearer token, or a wrong one"},
    413: {"description": "Larger than SHIPMATE_LOG_LIMIT_MB, packed or unpacked"},
    415: {"description": "An encoding that is not gzip"},
    422: {"description": "A wrong query; `detail` says what may stand there"},
}


def analyze_routes(model: LanguageModel, redactor: Redactor, limit_bytes: int, folder: Path) -> Routes:
    """`folder` holds what arrives until it is read; files in it have no names, so nothing is left of them."""
    router = APIRouter(tags=["logs"], responses=ANSWERS)
    turns = anyio.CapacityLimiter(AT_ONCE)

    @router.post("/analyze", openapi_extra=DESCRIBED)
    async def analyze(request: Request) -> Response:
        """Why did it fail? A log of any size, as the body (also gzipped) or several as a form: possible causes with
        the numbers of the lines that show them, what to do, and the lines that matter."""
        wanted = _wanted(request.query_params)
        try:
            async with _arrived(request, wanted, folder) as logs:
                objects = [await run_sync(_object, log, wanted, limit_bytes, redactor, model, limiter=turns)
                           for log in logs]  # fmt: skip
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        several = len(objects) > 1 or NDJSON in request.headers.get("Accept", "")
        return _lines(objects) if several else _alone(objects[0])

    return Routes(router, body_limit=limit_bytes)


def _object(
    log: Sent, wanted: Wanted, limit_bytes: int, redactor: Redactor, model: LanguageModel
) -> dict[str, Any]:  # fmt: skip
    """The report of one log, or what is wrong with it."""
    from pipelines.evidence.reading import Options
    from pipelines.evidence.sources import TooLarge

    options = Options(wanted.budget, wanted.kind, most_unpacked=limit_bytes)
    explaining = wanted.explain and model.available
    try:
        found = report_on(log.name, log.file, options, redactor, model if explaining else None)
    except Refused as refusal:
        status = 413 if isinstance(refusal, TooLarge) else 400
        reason = str(refusal).replace("the stream", "The log", 1)
        return {"file": redactor.redact(log.name).text, "error": redactor.redact(reason).text, "status": status}
    told = as_object(found, redactor)
    if wanted.explain and not explaining:
        told["notice"] = "No language model can be asked now, so this is worded without one."
    return told


def _alone(answer: dict[str, Any]) -> Response:
    if "error" in answer:
        return JSONResponse({"detail": answer["error"]}, status_code=answer["status"])
    return Response(_json(answer), media_type="application/json")


def _lines(answers: Sequence[dict[str, Any]]) -> Response:
    return Response(b"".join(_json(answer) + b"\n" for answer in answers), media_type=NDJSON)


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")


# What was asked


def _wanted(query: QueryParams) -> Wanted:
    if unknown := sorted(set(query) - {str(one["name"]) for one in PARAMETERS}):
        raise HTTPException(422, f"I do not know {unknown[0][:40]!r}. What may be asked: kind, budget, name, explain.")
    kind = query.get("kind", "")
    if kind and kind not in get_args(LogKind):
        raise HTTPException(422, f"kind is one of {', '.join(get_args(LogKind))}, or is left out.")
    explain = query.get("explain", "").lower()
    if explain not in (*YES, *NO):
        raise HTTPException(422, "explain is true or false.")
    known: LogKind | None = next((one for one in get_args(LogKind) if one == kind), None)
    return Wanted(known, _budget(query.get("budget", "")), _name(query.get("name", "")), explain in YES)


def _budget(text: str) -> int:
    if not text:
        return BUDGET
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not LEAST_BUDGET <= int(text) <= LARGEST_BUDGET:
        raise HTTPException(422, f"budget is a number of tokens from {LEAST_BUDGET} to {LARGEST_BUDGET:,}.")
    return int(text)


def _name(text: str) -> str:
    """One line that can be printed; some clients send a path, of which the end tells most."""
    return "".join(letter if letter.isprintable() else "�" for letter in text.strip())[-LONGEST_NAME:]


# What was sent


@asynccontextmanager
async def _arrived(request: Request, wanted: Wanted, folder: Path) -> AsyncIterator[Sequence[Sent]]:
    """The logs of a request, on the disk. They are gone when this ends, however it ends."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "multipart/form-data":
        async with request.form(max_files=MOST_FILES, max_fields=10) as form:
            files = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
            if not files:
                raise Refused("The form has no file. Send each log as one, for example: curl -F log=@build.log")
            yield [Sent(_name(one.filename or "") or f"log {place}", one.file) for place, one in enumerate(files, 1)]
        return
    packed = _packed(request.headers.get("Content-Encoding", ""))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        size = await _spool(request, file)
        if packed and size and not _gzipped(file):
            raise Refused("Content-Encoding says gzip, but the body is none. Leave the header out for a plain log.")
        yield [Sent(wanted.name or "log", file)]


def _packed(encoding: str) -> bool:
    if encoding.strip().lower() not in ("", "identity", "gzip", "x-gzip"):
        raise HTTPException(415, "A log comes plain or by gzip; I do not unpack other encodings.")
    return "gzip" in encoding.lower()


async def _spool(request: Request, file: IO[bytes]) -> int:
    """Write the body piece by piece; answers its size in bytes."""
    waiting = bytearray()
    size = 0
    async for chunk in request.stream():
        waiting += chunk
        size += len(chunk)
        if len(waiting) >= PIECE:
            await run_sync(_write, file, bytes(waiting))
            waiting.clear()
    await run_sync(_write, file, bytes(waiting))
    file.seek(0)
    return size


def _write(file: IO[bytes], content: bytes) -> None:
    try:
        file.write(content)
        file.flush()
    except OSError as error:
        raise Unavailable("the bot's disk", error.strerror or "it cannot be written") from error


def _gzipped(file: IO[bytes]) -> bool:
    from pipelines.evidence.sources import GZIP_MAGIC

    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return magic == GZIP_MAGIC
