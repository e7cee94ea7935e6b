"""Directory and doctor against the sandbox Slack, with the manifest that the bot really asks for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.catalogue import DEMO_CATALOGUE, load_catalogue
from bot.clients.directory import SlackDirectory
from bot.config import Settings
from bot.doctor.outside import SlackChecks
from bot.manifest import build_manifest, command_spec
from bot.sandbox.slack.roster import Roster
from bot.sandbox.slack.server import SlackSandbox
from commands.retrain import RetrainCommand
from pipelines.people import Role


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SlackSandbox]:
    roster = Roster()
    rooms = tuple(replace(room, bot_is_member=room.name != "ops") for room in roster.rooms)
    manifest = build_manifest([command_spec("/retrain", RetrainCommand)])
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", app=manifest, roster=replace(roster, rooms=rooms))
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def settings(sandbox: SlackSandbox, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path, catalogue_path=DEMO_CATALOGUE, slack_api_url=sandbox.api_url,
        slack_bot_token=sandbox.bot_token, slack_app_token=sandbox.app_token,
    )  # fmt: skip


@pytest.mark.parametrize("approver", ["ana@shipyard.example", "@ml-leads", "S0MLLEADS", "U0ANA"])
def test_however_ana_is_named_she_is_the_approver(approver: str, sandbox: SlackSandbox) -> None:
    catalogue = load_catalogue(DEMO_CATALOGUE, DEMO_CATALOGUE.parent)
    roles = replace(catalogue.roles, admin=(), approver=(approver,))
    client = WebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    directory = SlackDirectory(client, replace(catalogue, roles=roles))
    found = {user: directory.person(user).role for user in ("U0ANA", "U0BEN", "U0VERA", "U0NOBODY")}
    assert list(found.values()) == [Role.APPROVER, Role.ENGINEER, Role.VIEWER, Role.VIEWER]
    assert directory.person("U0ANA").name == "Ana Lima"


def test_the_doctor_finds_what_is_wrong_in_a_workspace_and_nothing_else(settings: Settings) -> None:
    slack = SlackChecks(settings, load_catalogue(DEMO_CATALOGUE, settings.data_dir))
    checks = (slack.bot_token, slack.app_token, slack.channels, slack.people, slack.user_groups)
    findings = [finding for check in checks for finding in check()]
    wrong = [finding for finding in findings if finding.level != "ok"]
    assert [finding.text for finding in wrong] == ["the bot is not in #ops"]
    assert "all that are needed" in [finding.text for finding in findings]


def test_a_wrong_token_is_told_by_each_check(settings: Settings) -> None:
    wrong = settings.model_copy(update={"slack_bot_token": settings.slack_app_token})
    slack = SlackChecks(wrong, load_catalogue(DEMO_CATALOGUE, settings.data_dir))
    levels = {finding.level for check in (slack.bot_token, slack.channels) for finding in check()}
    assert levels == {"problem"}
