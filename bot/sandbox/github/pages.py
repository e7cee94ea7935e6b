"""A few pages for people: the repository, its commits, pull requests, issues and runs, as plain HTML."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.sandbox.github import views
from bot.sandbox.github.answers import ApiError
from bot.sandbox.github.world import World

CSS = Path(__file__).with_name("page.css")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Nothing foreign may run or load here, whatever somebody wrote into a comment.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
View = Callable[[World, Request], str]


def routes(world: World, api: Sequence[str]) -> list[Route]:
    """`api` are the beginnings of paths that are no page."""
    place = f"/{world.name}"
    shown: dict[str, View] = {
        place: views.repository, f"{place}/commits": views.commits, f"{place}/commit/{{sha}}": views.commit,
        f"{place}/pulls": views.pulls, f"{place}/pull/{{number:int}}": views.pull, f"{place}/issues": views.issues,
        f"{place}/issues/{{number:int}}": views.issue, f"{place}/actions": views.runs,
        f"{place}/actions/runs/{{number:int}}": views.run,
        f"{place}/actions/runs/{{number:int}}/job/{{job:int}}": views.run,
        f"{place}/blob/{{ref}}/{{path:path}}": views.file,
    }  # fmt: skip
    assert not any(place.startswith(beginning) for beginning in api)
    return [
        Route("/", _home(place)),
        Route("/github.css", _style),
        *(Route(path, _page(world, view)) for path, view in shown.items()),
    ]


def _page(world: World, view: View) -> Callable[[Request], Awaitable[Response]]:
    def drawn(request: Request) -> Response:
        if urlsplit(f"//{request.headers.get('host', '')}").hostname not in LOOPBACK:
            return HTMLResponse("This page is for this machine only.", status_code=403)
        try:
            with world.turn:
                content = view(world, request)
        except ApiError as error:
            content, status = views.missing(world, error.message), error.code
            return HTMLResponse(content, status_code=status, headers={"Content-Security-Policy": POLICY})
        return HTMLResponse(content, headers={"Content-Security-Policy": POLICY})

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(drawn, request)

    return answer


def _home(place: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        return RedirectResponse(place)

    return answer


async def _style(_request: Request) -> Response:
    return Response(CSS.read_text(), media_type="text/css")
