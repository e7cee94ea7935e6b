"""A workspace of Slack on loopback, with an app that may do everything; how GitHub describes itself."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from github_description import Description

from bot.sandbox.slack.server import SlackSandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackSandbox]:
    running = SlackSandbox(tmp_path_factory.mktemp("workspace") / "slack.db")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def slack_data(shipmate_data: Path) -> Path:
    return shipmate_data / "slack"


@pytest.fixture(scope="session")
def github_description() -> Description:
    """GitHub's own description of its API and webhooks; `make test` brings it here where npm is."""
    folder = Path(__file__).parent / "node_modules" / "@octokit"
    if not (folder / "openapi").is_dir() or not (folder / "webhooks-schemas").is_dir():
        missing = "GitHub's description of its API is not here: `make test` brings it where npm is"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return Description(folder)
