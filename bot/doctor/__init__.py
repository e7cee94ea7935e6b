"""`shipmate doctor`: every connection and permission, one line each, and what to do."""

from functools import partial

from bot.catalogue import Catalogue
from bot.config import Settings
from bot.doctor.findings import CHECK_SECONDS, Check, Finding, report, run_checks
from bot.doctor.ground import (
    data_check,
    database_check,
    disk_check,
    packages_check,
    read_catalogue,
    settings_check,
    storage_check,
)
from bot.doctor.language_models import language_model_checks
from bot.doctor.outside import SlackChecks, github_check, kubernetes_check, mlflow_check

__all__ = ["Check", "Finding", "examine", "report", "run_checks"]


def examine(settings: Settings, seconds: float = CHECK_SECONDS) -> tuple[Finding, ...]:
    """Run every check that these settings and this catalogue call for."""
    catalogue, told = read_catalogue(settings)
    checks = [*_own(settings), *_slack(settings, catalogue), *_training(settings, catalogue)]
    checks += language_model_checks(settings)
    return (*told, *run_checks(checks, seconds))


def _own(settings: Settings) -> list[Check]:
    durable = partial(database_check, "durable work", settings.durable_database_url, "SHIPMATE_DURABLE_DATABASE_URL")
    return [
        Check("settings", partial(settings_check, settings)),
        Check("database", partial(database_check, "database", settings.database_url, "SHIPMATE_DATABASE_URL")),
        Check("durable work", durable),
        Check("disk", partial(disk_check, settings)),
        Check("storage", partial(storage_check, settings)),
        Check("mlflow", partial(mlflow_check, settings)),
    ]


def _slack(settings: Settings, catalogue: Catalogue | None) -> list[Check]:
    if settings.slack_bot_token is None:
        return []  # the settings say so already
    slack = SlackChecks(settings, catalogue)
    checks = [
        Check("slack token", slack.bot_token),
        Check("slack channels", slack.channels),
        Check("slack people", slack.people),
        Check("slack groups", slack.user_groups),
    ]
    return [*checks, Check("slack socket", slack.app_token)] if settings.slack_mode == "socket" else checks


def _training(settings: Settings, catalogue: Catalogue | None) -> list[Check]:
    models = catalogue.models if catalogue else ()
    runners = {model.runner for model in models}
    checks = [Check(f"data of {model.name}", partial(data_check, model)) for model in models]
    if "local" in runners:
        checks.append(Check("training", partial(packages_check, settings)))
    if "kubernetes" in runners:
        checks.append(Check("kubernetes", partial(kubernetes_check, settings)))
    if "github" in runners:
        checks.append(Check("github", partial(github_check, settings)))
    return checks
