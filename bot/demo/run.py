"""`shipmate demo`: the whole bot in a workspace on this machine. No account, no key, no container, no network."""

import secrets
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.app import Bot, build_bot, registered_manifest
from bot.catalogue import load_catalogue
from bot.config import Settings
from bot.demo import github as github_of_demo
from bot.demo import live as live_traffic
from bot.demo.github import DemoGithub
from bot.demo.lending import MODEL
from bot.demo.live import LiveDemo
from bot.demo.mlflow_page import MlflowPage
from bot.demo.repository import REPOSITORY
from bot.demo.traffic import Pace
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from pipelines.errors import Refused

CATALOGUE = Path(__file__).with_name("shipmate.yaml")
DOCUMENTS = Path(__file__).with_name("documents")


@dataclass(frozen=True, slots=True)
class Demo:
    """What a running demo consists of."""

    sandbox: SlackSandbox
    bot: Bot
    mlflow: MlflowPage
    github: DemoGithub
    live: LiveDemo | None = None

    @property
    def url(self) -> str:
        return self.sandbox.url

    def stop(self) -> None:
        if self.live:
            self.live.stop()
        self.github.stop()
        self.bot.stop()
        self.mlflow.stop()
        self.sandbox.stop()


def start_demo(folder: Path, port: int = 4000, trainer_python: str = sys.executable, pace: Pace | None = None) -> Demo:
    """Bring everything up in `folder`, which keeps it for the next start; returns when all of it can be used.

    With a `pace` there is a served model with live traffic too, which comes up in the background.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_demo_data(folder / "data")
    write_demo_documents(folder / "documents")
    catalogue = folder / "shipmate.yaml"
    if not catalogue.exists():
        shutil.copyfile(CATALOGUE, catalogue)
    ready: list[Bot] = []
    github = DemoGithub(folder)
    live = LiveDemo(folder, pace) if pace else None
    try:
        sandbox = _open_workspace(folder, port, ready, github, live)
    except Refused:
        github.stop()
        raise
    sandbox.start()
    github.start()
    mlflow = MlflowPage(folder, port=sandbox.port + 1)
    settings = demo_settings(folder, sandbox, mlflow.url, trainer_python).model_copy(update=github_settings(github))
    token = secrets.token_urlsafe(16)
    settings = settings.model_copy(update={"http_bearer_tokens": (SecretStr(token),)})
    known = load_catalogue(catalogue, folder)
    bot = build_bot(settings, known, drift_clock=live.clock if live else None)
    bot.start()
    github.tell(f"http://127.0.0.1:{bot.server.port}")
    bot.registry.warm()  # else MLflow's server makes the tables of a new registry at the same moment
    mlflow.start()
    if live:
        live.start(bot, known.models_by_name[MODEL], token)
    ready.append(bot)
    return Demo(sandbox, bot, mlflow, github, live)


def write_demo_documents(folder: Path) -> None:
    """The runbooks of the demo's models, once, so that whoever edits them here sees the answers change."""
    if not folder.exists():
        shutil.copytree(DOCUMENTS, folder)


def demo_settings(
    folder: Path, sandbox: SlackSandbox, mlflow_url: str, trainer_python: str = sys.executable
) -> Settings:
    """The settings of production, pointed at the sandbox.

    The registry is the folder's own, also where MLFLOW_TRACKING_URI names another: a demo registers nothing elsewhere.
    """
    return Settings(
        mlflow_tracking_uri=f"sqlite:///{folder / 'mlflow.sqlite'}",
        slack_bot_token=sandbox.bot_token, slack_app_token=sandbox.app_token, slack_api_url=sandbox.api_url,
        slack_signing_secret=sandbox.signing_secret, data_dir=folder, catalogue_path=folder / "shipmate.yaml",
        executor_id="demo", http_port=0, mlflow_ui_url=mlflow_url, trainer_python=trainer_python,
    )  # fmt: skip


def github_settings(github: DemoGithub) -> dict[str, object]:
    """What points the bot at the demo's GitHub."""
    return {
        "github_api_url": github.url, "github_token": SecretStr(github.token), "github_repository": REPOSITORY,
        "github_webhook_secret": SecretStr(github.secret),
    }  # fmt: skip


def _open_workspace(
    folder: Path, port: int, ready: list[Bot], github: DemoGithub, live: LiveDemo | None
) -> SlackSandbox:
    routes = [Route("/health", _health(ready)), *github.routes(), *(live.routes() if live else [])]
    panel = [*github_of_demo.PANEL, *(live_traffic.PANEL if live else ())]
    try:
        return SlackSandbox(
            folder / "slack.sqlite", port=port, app=registered_manifest(), routes=routes, panel=panel
        )  # fmt: skip
    except OSError as error:
        raise Refused(str(error)) from None


def _health(ready: list[Bot]) -> Callable[[Request], Response]:
    def health(_request: Request) -> Response:
        return JSONResponse({"ready": bool(ready)}, status_code=200 if ready else 503)

    return health
