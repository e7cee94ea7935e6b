"""The first version of a demo model: trained by the ordinary trainer when the demo starts for the first time.

Nobody is asked, for there is nobody yet: a model that serves has been there before whoever watches it. From then on
new versions take an approval like all others.
"""

import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.app import Bot
from bot.clients.runners.local import CANCELLED, LocalRunner
from bot.clients.runners.outcome import ERROR
from bot.clients.tables import FileTables
from bot.config import training_environment
from pipelines.errors import Refused
from pipelines.retrain.plan import draw_plan, job_for
from pipelines.retrain.values import ModelSpec, ModelVersion, Retrain, TrainingJob, TrainingOrder, TrainingResult

EVERY_SECONDS = 0.2
BY = "the demo"
GIVEN_UP = (CANCELLED, ERROR)


def ensure_champion(bot: Bot, spec: ModelSpec, stopping: threading.Event) -> ModelVersion | None:
    """The champion, made now if there is none; None when `stopping` was set meanwhile. Raises Refused."""
    if found := bot.registry.champion(spec.name):
        return found
    run_id = f"{spec.name}-first"
    order = TrainingOrder(spec.name, BY, BY, spec.channel, note="Made when the demo started for the first time.")
    plan = draw_plan(run_id, order, spec, FileTables().describe(spec.data), None, [])
    folder = bot.settings.data_dir / "runs" / run_id
    if any((folder / name).exists() for name in GIVEN_UP):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)
    job = job_for(plan, spec, str(folder), None)
    result = _trained(LocalRunner(bot.settings.trainer_python, training_environment()), job, stopping)
    if result is None:
        return None
    run = Retrain(run_id, plan, "training", result=result, settled_by=BY, started_at=started)
    return _registered(bot, replace(run, finished_at=datetime.now(UTC)), result, folder)


def _trained(runner: LocalRunner, job: TrainingJob, stopping: threading.Event) -> TrainingResult | None:
    runner.start(job)
    while not stopping.wait(EVERY_SECONDS):
        state = runner.state(job)
        if state.phase == "finished":
            return runner.result(job)
        if state.phase in ("failed", "lost", "absent"):
            raise Refused(f"The first training of {job.model} failed. {state.reason}")
    runner.cancel(job)
    return None


def _registered(bot: Bot, run: Retrain, result: TrainingResult, folder: Path) -> ModelVersion:
    version = bot.registry.register(run, result, folder, {"shipmate.approved_by": BY, "shipmate.requester": BY})
    bot.registry.assign(version.model, "champion", version.version)
    # In the list of runs as well, unless somebody has asked for a run of this model meanwhile.
    if bot.ledger.retrains.begin(replace(run, finished_at=None)).run_id == run.run_id:
        bot.ledger.retrains.save(replace(run, stage="registered", version=version))
    return version
