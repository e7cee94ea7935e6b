"""A workspace of Slack on loopback, with an app that may do everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
