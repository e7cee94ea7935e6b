"""The endpoints of the stand-in. To add one: a method here, a line in `_routes`."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.kubernetes.answers import ApiError, status
from bot.sandbox.kubernetes.cluster import Cluster, Run, parse_selector
from bot.sandbox.loopback import LoopbackServer

Endpoint = Callable[[Request], Awaitable[Response]]


class KubernetesSandbox:
    """`url` is the API server. `cluster.misfortune` befalls the pods of Jobs that are created afterwards."""

    def __init__(
        self, namespaces: Sequence[str] = ("default",), run: Run | None = None,
        environment: Mapping[str, str] | None = None, token: str = "", port: int = 0,
    ) -> None:  # fmt: skip
        self.cluster = Cluster(namespaces, run, environment or {"PATH": os.defpath})
        self._token = token
        self._server = LoopbackServer(Starlette(routes=self._routes()), port, "kubernetes-sandbox")
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.cluster.close()

    def _routes(self) -> list[Route]:
        jobs, pods = "/apis/batch/v1/namespaces/{namespace}/jobs", "/api/v1/namespaces/{namespace}/pods"
        reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return [
            Route("/version", self._checked(self._version)),
            Route(jobs, self._checked(self._create_job), methods=["POST"]),
            Route(jobs, self._checked(self._list_jobs)),
            Route(jobs + "/{name}", self._checked(self._read_job)),
            Route(jobs + "/{name}", self._checked(self._delete_job), methods=["DELETE"]),
            Route(pods, self._checked(self._list_pods)),
            Route(pods + "/{name}/log", self._checked(self._read_log)),
            Route(reviews, self._checked(self._review), methods=["POST"]),
        ]

    def _checked(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
                    raise ApiError("Unauthorized", "Unauthorized")
                return await endpoint(request)
            except ApiError as error:
                return status(error)

        return answer

    async def _version(self, _request: Request) -> Response:
        return JSONResponse({"major": "1", "minor": "34", "gitVersion": "v1.34.0"})

    async def _create_job(self, request: Request) -> Response:
        document = await request.json()
        # Starting a process blocks for some milliseconds.
        created = await run_in_threadpool(self.cluster.create_job, request.path_params["namespace"], document)
        return JSONResponse(created, status_code=201)

    async def _list_jobs(self, request: Request) -> Response:
        selector = parse_selector(request.query_params.get("labelSelector", ""))
        items = self.cluster.jobs(request.path_params["namespace"], selector)
        return JSONResponse({"kind": "JobList", "apiVersion": "batch/v1", "metadata": {}, "items": items})

    async def _read_job(self, request: Request) -> Response:
        return JSONResponse(self.cluster.job(request.path_params["namespace"], request.path_params["name"]))

    async def _delete_job(self, request: Request) -> Response:
        self.cluster.delete_job(request.path_params["namespace"], request.path_params["name"])
        return JSONResponse({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    async def _list_pods(self, request: Request) -> Response:
        selector = parse_selector(request.query_params.get("labelSelector", ""))
        items = self.cluster.pods(request.path_params["namespace"], selector)
        return JSONResponse({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def _read_log(self, request: Request) -> Response:
        text = self.cluster.log(request.path_params["namespace"], request.path_params["name"])
        asked = request.query_params
        if "tailLines" in asked:
            text = "".join(text.splitlines(keepends=True)[-int(asked["tailLines"]) :])
        if "limitBytes" in asked:
            text = text.encode()[: int(asked["limitBytes"])].decode(errors="ignore")
        return PlainTextResponse(text)

    async def _review(self, request: Request) -> Response:
        document = await request.json()
        asked = document["spec"].get("resourceAttributes") or {}
        allowed = (asked.get("verb", ""), asked.get("resource", "")) not in self.cluster.denied
        return JSONResponse(document | {"status": {"allowed": allowed}}, status_code=201)
