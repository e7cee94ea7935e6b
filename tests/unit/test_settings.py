import os
from datetime import time
from pathlib import Path

import pytest

from bot.config import (
    Settings,
    SettingsError,
    is_loopback,
    load_settings,
    misspelt_variables,
    prepare_environment,
    settings_table,
    training_environment,
)

STANDARD = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL", "MLFLOW_TRACKING_URI",
            "DATABASE_URL", "GITHUB_TOKEN")  # fmt: skip


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SHIPMATE_") or name in STANDARD:
            monkeypatch.delenv(name)


def test_the_standard_names_are_read_and_our_own_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-standard")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-standard")
    monkeypatch.setenv("SHIPMATE_SLACK_APP_TOKEN", "xapp-own")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    settings = load_settings()
    assert settings.slack_bot_token is not None
    assert settings.slack_app_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-standard"
    assert settings.slack_app_token.get_secret_value() == "xapp-own"
    assert settings.mlflow_ui_url == "http://mlflow.example:5000"


def test_no_secret_shows_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "hidden-one")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hidden-two@db/x")
    monkeypatch.setenv("SHIPMATE_HTTP_BEARER_TOKENS", "hidden-three, hidden-four")
    settings = load_settings()
    assert "hidden" not in repr(settings)
    assert [token.get_secret_value() for token in settings.http_bearer_tokens] == ["hidden-three", "hidden-four"]


def test_everything_has_a_place_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/shipmate.sqlite"
    assert settings.durable_database_url == f"sqlite:///{tmp_path}/durable.sqlite"
    assert settings.mlflow_tracking_uri == f"sqlite:///{tmp_path}/mlflow.sqlite"
    assert settings.storage_url == str(tmp_path / "storage")
    assert settings.mlflow_ui_url == ""


def test_with_postgres_durable_work_lives_there_too() -> None:
    settings = Settings(database_url="postgres://me:x@db/ship")
    assert settings.database_url == "postgresql://me:x@db/ship"
    assert settings.durable_database_url == settings.database_url


def test_the_executor_id_is_stable_and_differs_between_data_folders(tmp_path: Path) -> None:
    first, again, other = (Settings(data_dir=tmp_path / name).executor_id for name in ("a", "a", "b"))
    assert first == again != other
    assert first != "local"


def test_every_mistake_is_told_in_one_line_without_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPMATE_SLACK_MODE", "carrier-pigeon")
    monkeypatch.setenv("SHIPMATE_HTTP_PORT", "99999")
    monkeypatch.setenv("SHIPMATE_PUBLIC_URL", "bot.example")
    monkeypatch.setenv("SHIPMATE_NIGHTLY_AT", "soon")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == [
        "SHIPMATE_SLACK_MODE", "SHIPMATE_HTTP_PORT", "SHIPMATE_PUBLIC_URL", "SHIPMATE_NIGHTLY_AT",
    ]  # fmt: skip
    assert "carrier-pigeon" not in str(caught.value)


def test_a_misspelt_variable_is_found_but_not_what_kubernetes_sets() -> None:
    found = misspelt_variables(
        {"SHIPMATE_HTP_PORT": "1", "SHIPMATE_PORT_8080_TCP_ADDR": "1", "SHIPMATE_DATA_DIR": "x", "PATH": "x"}
    )
    assert found == {"SHIPMATE_HTP_PORT": "SHIPMATE_HTTP_PORT"}


def test_empty_variables_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    monkeypatch.setenv("SHIPMATE_NIGHTLY_AT", "")
    settings = load_settings()
    assert settings.slack_bot_token is None
    assert settings.nightly_at == time(3, 0)


def test_each_mode_says_what_it_lacks() -> None:
    assert Settings().missing_for_slack() == ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")
    assert Settings(slack_mode="http").missing_for_slack() == ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET")


def test_proxies_are_cleared_only_for_a_slack_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"HTTPS_PROXY": "http://proxy:3128", "https_proxy": "http://proxy:3128"})
    prepare_environment(Settings())
    assert os.environ["HTTPS_PROXY"] == "http://proxy:3128"
    prepare_environment(Settings(slack_api_url="http://127.0.0.1:4000/api"))
    assert "HTTPS_PROXY" not in os.environ
    assert "https_proxy" not in os.environ
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_training_gets_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"PATH": "/bin", "AWS_PROFILE": "ml", "HOME": "/home/x"}
    monkeypatch.setattr(os, "environ", kept | {"SLACK_BOT_TOKEN": "x", "OPENAI_API_KEY": "x", "DATABASE_URL": "x"})
    environment = training_environment()
    assert kept.items() <= environment.items()
    assert not {"SLACK_BOT_TOKEN", "OPENAI_API_KEY", "DATABASE_URL"} & set(environment)
    assert int(environment["OMP_NUM_THREADS"]) >= 1


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:1/api/", True), ("http://localhost/api", True), ("http://[::1]:1/", True),
     ("https://slack.com/api/", False), ("http://127.0.0.1.evil.example/", False)],
)  # fmt: skip
def test_loopback_is_told_from_look_alikes(url: str, local: bool) -> None:
    assert is_loopback(url) is local


def test_the_documented_table_is_the_one_of_the_settings() -> None:
    page = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
    assert settings_table() in page


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
