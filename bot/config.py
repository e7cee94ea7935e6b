"""Every setting, read once. The only file that looks at the environment, or changes it."""

import difflib
import hashlib
import os
import socket
import sys
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, JsonValue, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.config_language_models import LanguageModelSettings

PREFIX = "SHIPMATE_"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(Exception):
    """The environment holds values that cannot be; the text has one line a mistake."""


def _sqlite(file_name: str) -> Any:
    return lambda earlier: f"sqlite:///{earlier['data_dir'] / file_name}"


def _folder(name: str) -> Any:
    return lambda earlier: str(earlier["data_dir"] / name)


def _durable_default(earlier: dict[str, Any]) -> str:
    # One Postgres serves both, in schemas of their own; one SQLite file would have two writers.
    url: str = earlier["database_url"]
    return _sqlite("durable.sqlite")(earlier) if url.startswith("sqlite") else url


def _executor_default(earlier: dict[str, Any]) -> str:
    # The engine's own default is the same for every process, and a second start would run live steps again.
    folder = hashlib.sha256(str(earlier["data_dir"]).encode()).hexdigest()[:6]
    return f"{socket.gethostname()}-{folder}"


def _ui_default(earlier: dict[str, Any]) -> str:
    uri: str = earlier["mlflow_tracking_uri"]
    return uri if uri.startswith(("http://", "https://")) else ""


def _also(standard: str) -> AliasChoices:
    """Read our own name first, then the name that everybody else gives it."""
    return AliasChoices(f"{PREFIX}{standard}", standard)


def _shown(default: str) -> dict[str, JsonValue]:
    """What the documentation says of a default that differs from machine to machine."""
    return {"default": default}


class Settings(LanguageModelSettings, BaseSettings):
    """What differs between one installation and another. What the bot works on is in the catalogue."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, populate_by_name=True,
        hide_input_in_errors=True, use_attribute_docstrings=True,
    )  # fmt: skip

    slack_mode: Literal["socket", "http"] = Field("socket")
    """How Slack reaches the bot: `socket` (the bot connects) or `http` (Slack calls)."""
    slack_bot_token: SecretStr | None = Field(None, validation_alias=_also("SLACK_BOT_TOKEN"))
    """Bot token, `xoxb-…`."""
    slack_app_token: SecretStr | None = Field(None, validation_alias=_also("SLACK_APP_TOKEN"))
    """App-level token, `xapp-…`, needed in socket mode."""
    slack_signing_secret: SecretStr | None = Field(None, validation_alias=_also("SLACK_SIGNING_SECRET"))
    """Signing secret, needed in http mode."""
    slack_api_url: str = Field("https://slack.com/api/", validation_alias=_also("SLACK_API_URL"))
    """Base of Slack's Web API; another address leads to the sandbox."""

    http_host: str = Field("127.0.0.1")
    """Address that the HTTP server listens on; `0.0.0.0` in a container."""
    http_port: int = Field(8080, ge=0, le=65535)
    """Port of the HTTP server: health, metrics, webhooks and, in http mode, Slack."""
    public_url: str = Field("")
    """Address under which Slack reaches the HTTP server, such as `https://shipmate.example.org`; needed in
    http mode."""
    http_bearer_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(())
    """Tokens, separated by commas, that callers of the protected HTTP routes must bear."""

    data_dir: Path = Field(Path("var"))
    """Folder of everything that the bot keeps for itself."""
    catalogue_path: Path = Field(Path("shipmate.yaml"))
    """The catalogue: models, people, roles, channels, schedules, gates."""
    database_url: str = Field(
        default_factory=_sqlite("shipmate.sqlite"),
        repr=False,
        validation_alias=_also("DATABASE_URL"),
        json_schema_extra=_shown("SQLite file in the data folder"),
    )
    """The bot's memory: SQLite, or Postgres to run several replicas."""
    durable_database_url: str = Field(
        default_factory=_durable_default,
        repr=False,
        json_schema_extra=_shown("the Postgres of `SHIPMATE_DATABASE_URL`, else a SQLite file in the data folder"),
    )
    """Where unfinished work is kept."""
    executor_id: str = Field(
        default_factory=_executor_default,
        min_length=1,
        json_schema_extra=_shown("host name and a hash of the data folder"),
    )
    """Name of this process that is the same after a restart and different from every other process, so that
    it resumes its own work only."""
    storage_url: str = Field(
        default_factory=_folder("storage"), json_schema_extra=_shown("`storage` in the data folder")
    )
    """Where published models and the folders of runs lie: a folder or `s3://bucket/prefix`."""

    mlflow_tracking_uri: str = Field(
        default_factory=_sqlite("mlflow.sqlite"),
        repr=False,
        validation_alias=_also("MLFLOW_TRACKING_URI"),
        json_schema_extra=_shown("SQLite file in the data folder"),
    )
    """Tracking server and model registry."""
    mlflow_ui_url: str = Field(
        default_factory=_ui_default, json_schema_extra=_shown("the tracking server, when it is reached by HTTP")
    )
    """Address of MLflow's page for people; links are left out without it."""
    mlflow_artifact_root: str = Field(
        default_factory=_folder("mlflow-artifacts"), json_schema_extra=_shown("`mlflow-artifacts` in the data folder")
    )
    """Where MLflow keeps files when it has no server: a folder or `s3://…`."""

    trainer_python: str = Field(sys.executable, json_schema_extra=_shown("the Python of the bot"))
    """Python that local training runs in."""
    kubernetes_namespace: str = Field("shipmate-training")
    """Namespace of training jobs."""
    kubernetes_image: str = Field("")
    """Image of training jobs; needed for models with `runner: kubernetes`."""
    kubernetes_context: str = Field("")
    """Context of the kubeconfig file; empty means the cluster that the bot runs in, else the current
    context."""
    github_repository: str = Field("", pattern=r"^$|^[\w.-]+/[\w.-]+$")
    """`owner/name` of the repository whose workflow trains; needed for models with `runner: github`."""
    github_workflow: str = Field("train.yml")
    """File name of that workflow."""
    github_ref: str = Field("main")
    """Branch or tag that it runs on."""
    github_token: SecretStr | None = Field(None, validation_alias=_also("GITHUB_TOKEN"))
    """Token that may start workflows there, and read the runs that are reported."""
    github_api_url: str = Field("https://api.github.com")
    """Base of GitHub's API."""
    github_webhook_secret: SecretStr | None = Field(None)
    """Secret of the webhook that reports failed runs; its address is `/webhooks/github`, its events `workflow_run` and
    `check_run`."""
    alertmanager_secret: SecretStr | None = Field(None)
    """What Alertmanager shows at `/webhooks/alertmanager`: as a bearer token, or as the password of basic
    authentication."""

    log_limit_mb: int = Field(500, ge=1, le=100_000)
    """Largest log that is read from callers of `POST /analyze`, packed or unpacked, and from files in Slack, in MB."""
    nightly_at: time = Field(time(3, 0), json_schema_extra=_shown("`03:00`"))
    """When scheduled retrains begin, in UTC, unless the catalogue's schedule says another time."""
    listener_threads: int = Field(100, ge=4, le=1000)
    """Threads that acknowledge Slack; with too few, people see time-outs."""
    drain_seconds: int = Field(20, ge=0, le=600)
    """How long running work may take to end after SIGTERM."""
    watchdog_seconds: int = Field(90, ge=10, le=3600)
    """Silence on the socket after which it is connected anew."""
    log_format: Literal["json", "console"] = Field("json")
    """One JSON object a line, or lines for people."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO")
    """The least important log line that is written."""

    knowledge_url: str = Field(
        default_factory=_folder("knowledge"), repr=False, json_schema_extra=_shown("`knowledge` in the data folder")
    )
    """Where the knowledge index lies: a folder, `s3://bucket/prefix`, `s3+ddb://bucket/prefix?ddbTableName=…` for
    several writers, or `postgresql://…` with pgvector."""
    knowledge_chunk_words: int = Field(180, ge=20, le=2000)
    """Length of the pieces that documents are cut into; 500 suits embeddings that read long texts."""
    knowledge_chunk_overlap: int = Field(30, ge=0, le=500)
    """Words that a piece repeats of the one before it."""
    knowledge_private_addresses: bool = Field(default=False)
    """Whether pages may be fetched from private and loopback addresses."""
    embeddings: Literal["bundled", "openai"] = Field("bundled")
    """What makes vectors of texts: `bundled` needs no network; `openai` is OpenAI or any server with its API."""
    embeddings_model: str = Field("text-embedding-3-small")
    """Model for `openai`."""
    embeddings_url: str = Field("https://api.openai.com/v1")
    """Base of its API."""
    embeddings_question_prefix: str = Field("")
    """Put before a question, for models that want it (`query: `)."""
    embeddings_passage_prefix: str = Field("")
    """Put before a passage, for models that want it (`passage: `)."""

    @field_validator("data_dir", "catalogue_path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("slack_api_url")
    @classmethod
    def _base_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        return url.rstrip("/") + "/"

    @field_validator("database_url", "durable_database_url")
    @classmethod
    def _postgres(cls, url: str) -> str:
        # SQLAlchemy dropped this spelling, which many hosts still hand out.
        return url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url

    @field_validator("public_url", "mlflow_ui_url")
    @classmethod
    def _page_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        return url.rstrip("/")

    @field_validator("http_bearer_tokens", mode="before")
    @classmethod
    def _split(cls, tokens: object) -> object:
        if isinstance(tokens, str):
            return tuple(token.strip() for token in tokens.split(",") if token.strip())
        return tokens

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @property
    def slack_is_local(self) -> bool:
        return is_loopback(self.slack_api_url)

    def missing_for_slack(self) -> tuple[str, ...]:
        """Names of the variables that this mode needs and that are not set."""
        needed = {"SLACK_BOT_TOKEN": self.slack_bot_token}
        if self.slack_mode == "socket":
            needed["SLACK_APP_TOKEN"] = self.slack_app_token
        else:
            needed["SLACK_SIGNING_SECRET"] = self.slack_signing_secret
        return tuple(name for name, secret in needed.items() if secret is None)


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError with one plain line a mistake, never with a secret in it."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [fault for fault in error.errors() if fault["type"] != "default_factory_not_called"]
        lines = [_plain(str(fault["loc"][0]), fault["msg"]) for fault in faults]
        raise SettingsError("\n".join(lines)) from None


def _plain(name: str, message: str) -> str:
    wish = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{variable_of(name)} {wish}. See docs/configuration.md."


def is_loopback(url: str) -> bool:
    return (urlsplit(url).hostname or "") in LOOPBACK


def variable_of(name: str) -> str:
    """The variable behind a field's name (or behind an alias, which is one already)."""
    return f"{PREFIX}{name.upper()}" if name in Settings.model_fields else name


def prepare_environment(settings: Settings) -> None:
    """Set what libraries read from the environment and offer no argument for. Call before they are imported."""
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
        # Its own defaults (7 tries of 120 s) would hold a worker for minutes; ours retry a level above. A write that
        # the transport repeats after a late answer would be done twice.
        MLFLOW_HTTP_REQUEST_TIMEOUT="8",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        GIT_PYTHON_REFRESH="quiet",
    )
    if settings.slack_is_local:
        # slack_sdk ignores NO_PROXY, even for loopback.
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            os.environ.pop(name, None)
            os.environ.pop(name.lower(), None)


INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    # So that a trainer may read its data where the bot may.
    "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_CONNECTION_STRING",
)  # fmt: skip
INHERITED_PREFIXES = ("AWS_", "FSSPEC_")


def training_environment() -> dict[str, str]:
    """The environment of a local training process: enough to reach its data, and none of the bot's secrets."""
    kept = {
        name: value for name, value in os.environ.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
    threads = str(max(1, (os.cpu_count() or 2) - 1))  # one core stays with the bot
    caps = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    return kept | caps | quiet | {"PYTHONUNBUFFERED": "1"}


def misspelt_variables(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables that nobody reads but that look like one of ours -> the one that was probably meant.

    Only near misses: Kubernetes sets SHIPMATE_PORT_80_TCP and its like in every pod beside a service.
    """
    known = [variable_of(name) for name in Settings.model_fields]
    found = {}
    for name in environment if environment is not None else os.environ:
        if name.startswith(PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if nearest:
                found[name] = nearest[0]
    return found


def settings_table() -> str:
    """All settings as a Markdown table, for docs/configuration.md."""
    # Fields that were inherited come first in the class; in the table they come last.
    names = sorted(Settings.model_fields, key=lambda name: name in LanguageModelSettings.model_fields)
    rows = [_table_row(name, Settings.model_fields[name]) for name in names]
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *rows]) + "\n"


def _table_row(name: str, field: FieldInfo) -> str:
    choices = field.validation_alias
    names = list(choices.choices) if isinstance(choices, AliasChoices) else [variable_of(name)]
    variables = " or ".join(f"`{choice}`" for choice in names)
    return f"| {variables} | {_default_text(field)} | {' '.join((field.description or '').split())} |"


def _default_text(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    return f"`{field.default}`" if field.default not in (None, "", ()) else ""
