"""GitHub in the demo: the model-source repository, and the button that breaks it."""

import secrets
import threading
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.demo.repository import REPOSITORY, WORKFLOWS, DemoRepository, Kind
from bot.sandbox.github import GithubSandbox
from bot.sandbox.slack.page import from_here

WEBHOOK_PATH = "/github/webhook"
EVENTS = ["workflow_run", "check_run", "pull_request", "push", "issues", "issue_comment"]
PANEL = (
    {"label": "Push a broken change", "hint": "A pull request whose CI fails, with a real log", "method": "POST",
     "url": "/demo/broken-change"},
    {"label": "GitHub of this demo", "hint": "The repository, its pull requests, issues and runs", "method": "GET",
     "url": "/demo/github"},
)  # fmt: skip


class DemoGithub:
    """Kept in `folder`. `token` and `secret` are what the bot's settings need; both are new at each start."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_urlsafe(16)
        self.secret = secrets.token_urlsafe(16)
        self.sandbox = GithubSandbox(REPOSITORY, self.token, WORKFLOWS, folder=folder / "github")
        self.repository = DemoRepository(self.sandbox, folder / "github" / "runner")
        self._pushing: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return self.sandbox.url

    def start(self) -> None:
        self.repository.seed()
        self.sandbox.start()

    def tell(self, bot_url: str) -> None:
        """From now on webhooks go to the bot at this address, and nowhere else."""
        world = self.sandbox.world
        for hook in world.store.all("hook"):
            world.store.remove("hook", hook["id"])
        world.hooks.add(bot_url + WEBHOOK_PATH, self.secret, EVENTS)

    def stop(self) -> None:
        for pushing in self._pushing:
            pushing.join()
        self.sandbox.stop()

    def routes(self) -> list[Route]:
        """For the page of the workspace, whose panel names them."""
        return [
            Route("/demo/broken-change", self._push, methods=["POST"]),
            Route("/demo/github", self._visit),
        ]

    def push(self, kind: Kind | None = None) -> None:
        """A broken change, in a thread of its own: CI takes some seconds. Without a kind, they come in turn."""
        what = (lambda: self.repository.push_broken_change(kind)) if kind else self.repository.push_next
        pushing = threading.Thread(target=what, name="broken-change")
        self._pushing.append(pushing)
        pushing.start()

    async def _push(self, request: Request) -> Response:
        if not from_here(request):
            return JSONResponse({"ok": False, "error": "foreign_origin"}, status_code=403)
        kind = request.query_params.get("kind", "")
        known = self.repository.kinds
        if kind and kind not in known:
            return JSONResponse({"ok": False, "error": "unknown_kind", "known": known}, status_code=400)
        self.push(next((one for one in known if one == kind), None))
        return JSONResponse({"ok": True}, status_code=202)

    async def _visit(self, _request: Request) -> Response:
        return RedirectResponse(f"{self.url}/{REPOSITORY}")
