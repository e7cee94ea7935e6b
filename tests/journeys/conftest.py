"""A whole workspace and a whole bot, on loopback, in folders of their own."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from bot.app import Bot, build_bot, registered_manifest
from bot.catalogue import load_catalogue
from bot.clients.mlflow import MlflowRegistry
from bot.config import prepare_environment
from bot.demo.run import CATALOGUE, demo_settings
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

# Nothing leaves this machine, and nothing waits for a graphics card.
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


@dataclass
class Ship:
    """The bot in its workspace. `restart` is an orderly stop and a new start over the same folder."""

    folder: Path
    sandbox: SlackSandbox
    catalogue: Path
    workspace: Workspace
    bot: Bot | None = None

    def start(self) -> None:
        settings = demo_settings(self.folder, self.sandbox, "http://127.0.0.1:5000")
        prepare_environment(settings)
        self.bot = build_bot(settings, load_catalogue(self.catalogue, self.folder))
        self.bot.start()

    def stop(self) -> None:
        if self.bot:
            self.bot.stop()
            self.bot = None

    def restart(self) -> None:
        self.stop()
        self.start()


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's three data sets, made once."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    write_demo_data(folder)
    return folder


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's database with its tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("registry") / "mlflow.sqlite"
    MlflowRegistry(f"sqlite:///{path}", "", "").warm()
    return path


@pytest.fixture
def ship(tmp_path: Path, demo_data: Path, empty_registry: Path) -> Iterator[Ship]:
    """A started bot; small searches, so that a training takes seconds."""
    (tmp_path / "data").symlink_to(demo_data)
    shutil.copyfile(empty_registry, tmp_path / "mlflow.sqlite")
    catalogue = tmp_path / "shipmate.yaml"
    catalogue.write_text(CATALOGUE.read_text())
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    made = Ship(tmp_path, sandbox, catalogue, Workspace(sandbox.url))
    made.start()
    yield made
    made.workspace.close()
    made.stop()
    sandbox.stop()


# For one module only: while it is open, Playwright keeps an event loop running in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; where it is not installed, tests skip, but never in CI."""
    path = shutil.which("chromium")
    if path is None:
        missing = "chromium is not installed, so the page cannot be tried in a browser"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()
