"""The routes of the model server: KServe's v2 protocol, and v1's `:predict`."""

import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.serving.champion import ChampionFollower, Served
from bot.demo.serving.deliveries import DELIVERIES_PATH, Deliveries
from bot.demo.serving.logger import InferenceLogger
from bot.demo.serving.protocol import Asked, NotUnderstood, answer_v2, describe, read_v1, read_v2
from pipelines.json_values import to_json

BODY_LIMIT = 8_000_000
NAME = "shipmate-demo-serving"
# The id and the moment of the event that is logged, as KServe's agent takes the id: the caller may name both.
ID_HEADER, TIME_HEADER = "ce-id", "ce-time"


class ModelServer:
    """Serves one model under its name."""

    def __init__(self, model: str, follower: ChampionFollower, logger: InferenceLogger | None) -> None:
        self._model = model
        self._follower = follower
        self._logger = logger

    def app(self) -> Starlette:
        base = "/v2/models/{model}"
        versions = base + "/versions/{version}"
        return Starlette(
            routes=[
                Route("/v2", self._server), Route("/v2/", self._server),
                Route(DELIVERIES_PATH, self._deliveries),
                Route("/v2/health/live", self._live), Route("/v2/health/ready", self._ready),
                *(Route(path, self._told(self._metadata)) for path in (base, versions)),
                *(Route(f"{path}/ready", self._told(self._model_ready)) for path in (base, versions)),
                *(Route(f"{path}/infer", self._told(self._infer), methods=["POST"]) for path in (base, versions)),
                Route("/v1/models/{model}:predict", self._told(self._predict), methods=["POST"]),
                Route("/v1/models/{model}", self._told(self._v1_ready)),
            ]
        )  # fmt: skip

    async def _server(self, _request: Request) -> Response:
        return JSONResponse({"name": NAME, "version": package_version("shipmate"), "extensions": []})

    async def _deliveries(self, _request: Request) -> Response:
        return JSONResponse(to_json(self._logger.deliveries if self._logger is not None else Deliveries()))

    async def _live(self, _request: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _request: Request) -> Response:
        ready = self._follower.served is not None
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    async def _metadata(self, _request: Request, served: Served) -> Response:
        return JSONResponse(describe(self._model, served.version, served.kinds, served.labels))

    async def _model_ready(self, _request: Request, _served: Served) -> Response:
        return JSONResponse({"name": self._model, "ready": True})

    async def _v1_ready(self, _request: Request, _served: Served) -> Response:
        return JSONResponse({"name": self._model, "ready": "True"})

    async def _infer(self, request: Request, served: Served) -> Response:
        body = await _body(request)
        asked = read_v2(body)
        said = await run_in_threadpool(served.predict, _features(asked, served))
        answer = answer_v2(self._model, served.version, asked, said, served.labels)
        if not asked.id:
            answer["id"] = _event_id(request)
        self._log(request, body, answer)
        return JSONResponse(answer)

    async def _predict(self, request: Request, served: Served) -> Response:
        body = await _body(request)
        asked = read_v1(body, served.features)
        said = await run_in_threadpool(served.predict, asked.columns)
        answer = {"predictions": list(said.values)}
        self._log(request, body, answer)
        return JSONResponse(answer)

    def _log(self, request: Request, body: dict[str, Any], answer: dict[str, Any]) -> None:
        if self._logger is not None:
            event_id, moment = _event_id(request), _moment(request)
            self._logger.log("request", event_id, moment, body)
            self._logger.log("response", event_id, moment, answer)

    def _told(
        self, answer: Callable[[Request, Served], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Answers only for the model that is served, and turns mistakes into the protocol's error object."""

        async def answered(request: Request) -> Response:
            served = self._follower.served
            if request.path_params["model"] != self._model:
                return _error(404, f"There is no model {request.path_params['model'][:80]}. Served: {self._model}.")
            if served is None:
                return _error(503, self._follower.problem)
            asked = request.path_params.get("version", str(served.version))
            if asked != str(served.version):
                return _error(404, f"Version {asked[:20]} is not served, but {served.version}.")
            try:
                return await answer(request, served)
            except NotUnderstood as mistake:
                return _error(400, str(mistake))
            except TooLarge:
                return _error(413, f"The body is larger than {BODY_LIMIT:,} bytes.")

        return answered


class TooLarge(Exception):
    pass


async def _body(request: Request) -> dict[str, Any]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise TooLarge
    try:
        body = json.loads(bytes(content))
    except (ValueError, RecursionError):
        raise NotUnderstood("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise NotUnderstood("The body is a JSON object.")
    return body


def _features(asked: Asked, served: Served) -> dict[str, Any]:
    missing = [name for name in served.features if name not in asked.columns]
    if missing:
        raise NotUnderstood(f"Features are missing: {', '.join(missing[:10])}.")
    return {name: asked.columns[name] for name in served.features}


def _event_id(request: Request) -> str:
    if not hasattr(request.state, "event_id"):
        request.state.event_id = request.headers.get(ID_HEADER, "")[:120] or str(uuid.uuid4())
    return str(request.state.event_id)


def _moment(request: Request) -> datetime:
    try:
        moment = datetime.fromisoformat(request.headers.get(TIME_HEADER, ""))
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)
