"""Checks of what the bot stands on: settings, catalogue, databases, disk, storage, packages, data."""

import csv
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import sqlalchemy
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.catalogue import Catalogue, CatalogueError, load_catalogue
from bot.config import Settings, misspelt_variables
from bot.doctor.findings import Finding, ok, problem, warning
from pipelines.retrain.values import ModelSpec

CONNECT_SECONDS = 5
SCARCE_BYTES, SPARE_BYTES = 500_000_000, 5_000_000_000
HEADER_BYTES = 65_536
TRAINER_PACKAGES = ("sklearn", "pandas", "pyarrow", "mlflow", "skops")


def settings_check(settings: Settings) -> Iterator[Finding]:
    for name, meant in misspelt_variables().items():
        yield warning("settings", f"{name} is read by nobody", f"Did you mean {meant}?")
    missing = settings.missing_for_slack()
    for name in missing:
        yield problem("settings", f"{name} is not set", f"{settings.slack_mode} mode needs it: docs/configuration.md")
    if settings.slack_mode == "http" and not settings.public_url.startswith("https://"):
        yield problem(
            "settings", "SHIPMATE_PUBLIC_URL is no https:// address", "Slack calls the bot there in http mode."
        )
    elif not missing:
        yield ok("settings", f"complete for {settings.slack_mode} mode")


def read_catalogue(settings: Settings) -> tuple[Catalogue | None, tuple[Finding, ...]]:
    """The catalogue, or a finding for each mistake in it."""
    try:
        catalogue = load_catalogue(settings.catalogue_path, settings.data_dir)
    except CatalogueError as error:
        lines = str(error).splitlines()
        return None, tuple(problem("catalogue", line, "Correct this line.") for line in lines)
    counted = f"{len(catalogue.models)} models, {len(catalogue.people)} people, {len(catalogue.channels)} channels"
    return catalogue, (ok("catalogue", f"{settings.catalogue_path.name}: {counted}"),)


def database_check(name: str, url: str, variable: str) -> Iterator[Finding]:
    """Whether a table could be made; it is not."""
    try:
        shown = sqlalchemy.make_url(url).render_as_string(hide_password=True)
        _try_table(url)
    except ArgumentError:
        yield problem(name, "the address cannot be read", f"Write {variable}=postgresql://user:password@host/name")
    except ImportError as error:
        yield problem(
            name, f"the driver is missing ({error.name})", "Install the extra: pip install 'shipmate[postgres]'"
        )
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        yield problem(name, f"{shown} is not writable: {(reason or ['no reason given'])[0]}", f"Check {variable}.")
    else:
        yield ok(name, f"{shown} is writable")


def _try_table(url: str) -> None:
    parsed = sqlalchemy.make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    timeout: dict[str, Any] = {"timeout": CONNECT_SECONDS} if sqlite else {"connect_timeout": CONNECT_SECONDS}
    engine = sqlalchemy.create_engine(parsed, connect_args=timeout, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN")
            connection.exec_driver_sql("CREATE TABLE shipmate_doctor (id INTEGER)")
            connection.exec_driver_sql("ROLLBACK")
    finally:
        engine.dispose()


def disk_check(settings: Settings) -> Iterator[Finding]:
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:,.1f} GB free below {folder}"
    if free < SCARCE_BYTES:
        yield problem("disk", text, "Free some space, or set SHIPMATE_DATA_DIR to a larger disk.")
    elif free < SPARE_BYTES:
        yield warning("disk", text, "A few trainings with large tables may fill it.")
    else:
        yield ok("disk", text)


def storage_check(settings: Settings) -> Iterator[Finding]:
    probe = f"{settings.storage_url.rstrip('/')}/.shipmate-doctor-{settings.executor_id}"
    try:
        files, path = fsspec.core.url_to_fs(probe)
        if isinstance(files, LocalFileSystem):
            files.makedirs(files._parent(path), exist_ok=True)
        with files.open(path, "wb") as file:
            file.write(b"probe")
        files.rm(path)
    except ImportError:
        yield problem(
            "storage", f"no driver for {settings.storage_url}", "Install the extra: pip install 'shipmate[s3]'"
        )
    except (OSError, ValueError) as error:
        yield problem("storage", f"{settings.storage_url} is not writable: {error}", "Check SHIPMATE_STORAGE_URL.")
    else:
        yield ok("storage", f"{settings.storage_url} is writable")


def packages_check(settings: Settings) -> Iterator[Finding]:
    """Whether local training finds what it imports."""
    script = f"import importlib.util as u; print(*[n for n in {TRAINER_PACKAGES} if u.find_spec(n) is None])"
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter comes from our own settings
            [settings.trainer_python, "-c", script], capture_output=True, text=True, timeout=8, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        yield problem("training", f"{settings.trainer_python} does not run: {error}", "Check SHIPMATE_TRAINER_PYTHON.")
        return
    if missing := done.stdout.split():
        advice = "Install the extra: pip install 'shipmate[train]'"
        yield problem("training", f"{', '.join(missing)} cannot be imported by {settings.trainer_python}", advice)
    else:
        yield ok("training", "the training packages are installed")


def data_check(spec: ModelSpec) -> Iterator[Finding]:
    """Whether the first lines can be read and hold the target."""
    name = f"data of {spec.name}"
    advice = f"Check models.{spec.name}.data in the catalogue."
    try:
        with fsspec.open(spec.data, "rb", compression="infer") as file:
            head = file.read(HEADER_BYTES)
    except ImportError as error:
        yield problem(
            name, f"no driver for {spec.data} ({error.name})", "Install the extra: pip install 'shipmate[s3]'"
        )
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield problem(name, f"{spec.data} cannot be read: {reason}", advice)
    else:
        yield from _judge_head(name, spec, head, advice)


def _judge_head(name: str, spec: ModelSpec, head: bytes, advice: str) -> Iterator[Finding]:
    if not head:
        yield problem(name, f"{spec.data} is empty", advice)
        return
    if head.startswith(b"PAR1"):
        yield ok(name, f"{spec.data} is Parquet and can be read")
        return
    first = head.decode("utf-8-sig", errors="replace").partition("\n")[0]
    columns = next(csv.reader([first.rstrip("\r")]), [])
    if spec.target in columns:
        yield ok(name, f"{spec.data} can be read, {len(columns)} columns")
    else:
        text = f"{spec.data} has no column {spec.target}; it has {', '.join(columns[:8])}"
        yield problem(name, text[:300], f"Check models.{spec.name}.target in the catalogue.")
