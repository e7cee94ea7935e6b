"""The endpoints of the stand-in. To add one: a method here, a line in `_routes`."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.github.actions import Actions, Run, Workflow
from bot.sandbox.github.answers import ApiError, refusal
from bot.sandbox.loopback import LoopbackServer

Endpoint = Callable[[Request], Awaitable[Response]]


class GithubSandbox:
    """One repository. `url` is the base of the API; every caller must bear `token`."""

    def __init__(
        self, repository: str, token: str, workflows: Sequence[Workflow] = (), run: Run | None = None,
        environment: Mapping[str, str] | None = None, port: int = 0,
    ) -> None:  # fmt: skip
        self.actions = Actions(repository, workflows, run, environment or {"PATH": os.defpath})
        self._repository = repository
        self._token = token
        self._server = LoopbackServer(Starlette(routes=self._routes()), port, "github-sandbox")
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.actions.close()

    def _routes(self) -> list[Route]:
        repository = f"/repos/{self._repository}"
        workflow, runs = repository + "/actions/workflows/{file}", repository + "/actions/runs"
        return [
            Route(repository, self._checked(self._read_repository)),
            Route(workflow, self._checked(self._read_workflow)),
            Route(workflow + "/dispatches", self._checked(self._dispatch), methods=["POST"]),
            Route(workflow + "/runs", self._checked(self._list_runs)),
            Route(runs + "/{number:int}", self._checked(self._read_run)),
            Route(runs + "/{number:int}/cancel", self._checked(self._cancel_run), methods=["POST"]),
        ]

    def _checked(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                if request.headers.get("authorization") not in (f"token {self._token}", f"Bearer {self._token}"):
                    raise ApiError(401, "Bad credentials")
                return await endpoint(request)
            except ApiError as error:
                return refusal(error)

        return answer

    async def _read_repository(self, _request: Request) -> Response:
        url = f"{self.url}/repos/{self._repository}"
        return JSONResponse({"id": 1, "full_name": self._repository, "url": url, "default_branch": "main"})

    async def _read_workflow(self, request: Request) -> Response:
        file = request.path_params["file"]
        self.actions.runs(file)
        url = f"{self.url}/repos/{self._repository}/actions/workflows/{file}"
        return JSONResponse({"id": 1, "name": file, "path": f".github/workflows/{file}", "state": "active", "url": url})

    async def _dispatch(self, request: Request) -> Response:
        body = await request.json()
        if "ref" not in body:
            raise ApiError(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
        file, inputs = request.path_params["file"], body.get("inputs") or {}
        number = await run_in_threadpool(self.actions.dispatch, file, body["ref"], inputs)
        if not body.get("return_run_details"):
            return Response(status_code=204)
        described = self.actions.described(self.actions.found(number), self.url)
        details = {"workflow_run_id": number, "run_url": described["url"], "html_url": described["html_url"]}
        return JSONResponse(details)

    async def _list_runs(self, request: Request) -> Response:
        found = self.actions.runs(request.path_params["file"], request.query_params.get("event", ""))
        size, page = int(request.query_params.get("per_page", 30)), int(request.query_params.get("page", 1))
        shown = found[(page - 1) * size : page * size]
        runs = [self.actions.described(run, self.url) for run in shown]
        return JSONResponse({"total_count": len(found), "workflow_runs": runs})

    async def _read_run(self, request: Request) -> Response:
        run = self.actions.found(request.path_params["number"])
        return JSONResponse(self.actions.described(run, self.url))

    async def _cancel_run(self, request: Request) -> Response:
        self.actions.cancel(request.path_params["number"])
        return JSONResponse({}, status_code=202)
