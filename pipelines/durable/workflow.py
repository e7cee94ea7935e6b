"""The durable engine: work that was started under an id ends once, through kills and restarts.

Four rules, each measured (docs/decisions/0001): a stable executor id, so that a restarted process resumes its
own work and nobody else's; a pinned application version, so that a new release finishes what the old one began;
SQLite in WAL mode; and steps that may run twice, because an interrupted step runs again.
"""

import contextvars
import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import sqlalchemy
from dbos import DBOS, SetWorkflowID, StepOptions, WorkflowHandle
from dbos import error as dbos_errors

from pipelines import write_ahead_log
from pipelines.errors import Unavailable

log = logging.getLogger("pipelines.durable")

P = ParamSpec("P")
R = TypeVar("R")
Body = Callable[[str], None]

APPLICATION_VERSION = "1"  # raised only together with a migration of what still runs
UNFINISHED = frozenset({"PENDING", "ENQUEUED", "DELAYED"})
QUEUE_SECONDS = 0.5  # how often a queue is looked at
STEP_ATTEMPTS = 6  # 1 + 2 + 4 + 8 + 16 s of waiting before a dependency counts as down


class Stopping(BaseException):
    """The process is going down: unwinds a step without an outcome, so that it runs again after the start."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """`threads` bounds how much work runs at once; work beyond it waits its turn."""

    database_url: str
    executor_id: str
    threads: int = 64
    retry_seconds: float = 1.0


class DurableWork:
    """Registers, starts and resumes work. One engine a process; build it before anything registers."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._bodies: dict[str, Body] = {}
        self._at_once: dict[str, int] = {}
        self._stopping = threading.Event()
        prefer_write_ahead_log(settings.database_url)
        DBOS(
            config={
                "name": "shipmate",
                "system_database_url": settings.database_url,
                "executor_id": settings.executor_id,
                "application_version": APPLICATION_VERSION,
                "max_executor_threads": settings.threads,
                "log_level": "ERROR",  # what it would warn of, retries and second starts, is how we use it
                "enable_otlp": False,
            }
        )

    def register(self, name: str, body: Body, at_once: int = 0) -> None:
        """Make `body(argument)` startable under `name`; names are stored, so they never change.

        `at_once` is how many of them this process works on; the others wait in a queue, which costs no thread.
        """

        def workflow(argument: str) -> None:
            body(argument)

        workflow.__qualname__ = workflow.__name__ = f"{name} workflow"
        self._bodies[name] = DBOS.workflow(name=name)(workflow)
        if at_once:
            self._at_once[name] = at_once

    def launch(self) -> None:
        """Begin, and resume what an earlier process under this executor id left unfinished."""
        DBOS.launch()
        for name, at_once in self._at_once.items():
            DBOS.register_queue(name, worker_concurrency=at_once, polling_interval_sec=QUEUE_SECONDS)

    def start(self, name: str, work_id: str, argument: str) -> None:
        """Start work once under `<name>:<work_id>`; a second start of the same id changes nothing."""
        with SetWorkflowID(f"{name}:{work_id}"):
            _handle: WorkflowHandle[None]
            if name in self._at_once:
                _handle = DBOS.enqueue_workflow(name, self._bodies[name], argument)
            else:
                _handle = DBOS.start_workflow(self._bodies[name], argument)

    def start_apart(self, name: str, work_id: str, argument: str) -> None:
        """The same from within a step, where the engine lets nothing be started: the new work is nobody's child."""
        contextvars.Context().run(self.start, name, work_id, argument)

    def step(self, name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a step of the current work; its result is kept. Retries while something is Unavailable."""
        try:
            return DBOS.run_step(self._retrying(name), function, *args, **kwargs)
        except dbos_errors.DBOSMaxStepRetriesExceeded as exhausted:
            raise exhausted.errors[-1] from None

    def _retrying(self, name: str) -> StepOptions:
        return {
            "name": name,
            "retries_allowed": True,
            "max_attempts": STEP_ATTEMPTS,
            "interval_seconds": self._settings.retry_seconds,
            "should_retry": lambda error: _worth_another_try(name, error),
        }

    def pause(self, seconds: float) -> None:
        """Wait inside a step; raises Stopping when the process goes down meanwhile."""
        if self._stopping.wait(seconds):
            raise Stopping

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def pending(self) -> int:
        """How much work is unfinished, in all processes."""
        return len(DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False))

    def settled(self, name: str, work_id: str) -> bool:
        """Whether this work has ended, well or badly."""
        status = self._status(name, work_id)
        return bool(status) and status not in UNFINISHED

    def unfinished(self, name: str, work_id: str) -> bool:
        """Whether this work was started, here or in another process, and has not ended."""
        return self._status(name, work_id) in UNFINISHED

    def _status(self, name: str, work_id: str) -> str:
        found = DBOS.list_workflows(workflow_ids=[f"{name}:{work_id}"], load_input=False, load_output=False)
        return str(found[0].status) if found else ""

    def stop(self, drain_seconds: int = 0) -> None:
        """Let short work end, unwind waiting steps, close the database. A new engine may be made afterwards."""
        self._stopping.set()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=drain_seconds)


def _worth_another_try(step: str, error: BaseException) -> bool:
    if not isinstance(error, Unavailable):
        return False
    log.warning("step %r put off: %s", step, error)
    return True


def prefer_write_ahead_log(database_url: str) -> None:
    """Set WAL on a SQLite file before the engine opens it (3 to 5 times faster); other databases are left alone."""
    url = sqlalchemy.make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(url.database) as connection:
        write_ahead_log.prefer(connection)
    connection.close()
