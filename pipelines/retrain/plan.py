"""From an order to the exact plan that an approval is given for."""

import difflib
import posixpath
from collections.abc import Sequence
from datetime import date, datetime
from secrets import token_hex

from pipelines.errors import Refused
from pipelines.retrain.values import (
    ModelSpec,
    ModelVersion,
    Retrain,
    TableSummary,
    TrainingJob,
    TrainingOrder,
    TrainingPlan,
)

CHAMPION_FILE = "champion.pkl"


def new_run_id(order: TrainingOrder, now: datetime) -> str:
    """Readable and unique; for the clock the same all day, so that two replicas order one run."""
    if order.trigger == "schedule":
        return f"{order.model}-nightly-{now:%Y%m%d}"
    return f"{order.model}-{now:%Y%m%d-%H%M%S}-{token_hex(2)}"


def choose_data(spec: ModelSpec, asked: str | None) -> str:
    """The data to train on. What is asked for must lie beside the model's own data or below one of its roots."""
    if asked is None:
        return spec.data
    folder = posixpath.dirname(_normal(spec.data))
    wanted = _normal(asked if "://" in asked or asked.startswith("/") else f"{folder}/{asked}")
    roots = [folder, *(_normal(root) for root in spec.data_roots)]
    if any(wanted.startswith(root.rstrip("/") + "/") for root in roots if root.strip("/")):
        return wanted
    raise Refused(
        f"`{asked[:200]}` lies outside the places that *{spec.name}* may be trained from: "
        f"{', '.join(f'`{root}`' for root in roots)}. An admin can add one under `data_roots` in the catalogue."
    )


def parse_day(text: str) -> str:
    """The day as ISO 8601 writes it. Raises Refused for anything else."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise Refused(f"`{text[:40]}` is no day. Write it like 2026-03-01.") from None


def draw_plan(
    run_id: str, order: TrainingOrder, spec: ModelSpec, table: TableSummary,
    champion: ModelVersion | None, earlier: Sequence[Retrain],
) -> TrainingPlan:  # fmt: skip
    """Everything that will be done, in exact values. `earlier` are finished runs of the model, newest first."""
    if spec.target not in table.columns:
        raise Refused(_no_target(spec, table))
    if order.since and spec.time_column not in table.columns:
        raise Refused(
            f"Rows of *{spec.name}* cannot be told by their time: `{table.uri}` has no column "
            f"`{spec.time_column}`. Set `time_column` in the catalogue, or take all rows."
        )
    minutes = _minutes_of_last(earlier)
    return TrainingPlan(
        run_id=run_id, model=spec.name, problem=spec.problem, data=table.uri, data_version=table.version,
        rows=table.rows, columns=len(table.columns), target=spec.target, trainer=spec.trainer,
        runner=spec.runner, seed=spec.seed, gate=spec.gate,
        champion_version=champion.version if champion else None,
        champion_metrics=dict(champion.metrics) if champion else {},
        memory_limit_mb=spec.memory_limit_mb, timeout_minutes=spec.timeout_minutes,
        estimated_minutes=minutes, estimated_cost=round((minutes or 0.0) / 60 * spec.cost_per_hour, 4),
        requester_id=order.requester_id, requester_name=order.requester_name, trigger=order.trigger,
        since=order.since, time_column=spec.time_column if order.since else "", note=order.note[:500],
        promotion="ask" if order.trigger == "drift" else spec.promotion,
    )  # fmt: skip


def check_unchanged(plan: TrainingPlan, table: TableSummary, champion: ModelVersion | None) -> None:
    """At execution: what was approved must still be what is there."""
    if table.version != plan.data_version:
        raise Refused(
            f"The data changed after this plan was drawn up ({_rows(plan.rows)} then, {_rows(table.rows)} now). "
            f"Nothing was trained. Order it again: `/retrain {plan.model}`"
        )
    current = champion.version if champion else None
    if current != plan.champion_version:
        raise Refused(
            f"The champion changed after this plan was drawn up (version {plan.champion_version or 'none'} then, "
            f"{current or 'none'} now). Nothing was trained. Order it again: `/retrain {plan.model}`"
        )


def job_for(plan: TrainingPlan, spec: ModelSpec, workdir: str, champion_sha256: str | None) -> TrainingJob:
    """What the training process is told. The champion's pickle, if any, lies in the workdir already."""
    return TrainingJob(
        run_id=plan.run_id, model=plan.model, problem=plan.problem, data=plan.data, target=plan.target,
        trainer=plan.trainer, workdir=workdir, command=spec.command, drop_columns=spec.drop_columns,
        since=plan.since, time_column=plan.time_column,
        positive_label=spec.positive_label, seed=plan.seed, search_candidates=spec.search_candidates,
        folds=spec.folds, memory_limit_mb=plan.memory_limit_mb, timeout_minutes=plan.timeout_minutes,
        champion_model=CHAMPION_FILE if champion_sha256 else None, champion_sha256=champion_sha256,
    )  # fmt: skip


def _normal(uri: str) -> str:
    scheme, separator, rest = uri.rpartition("://")
    return f"{scheme}{separator}{posixpath.normpath(rest)}"


def _no_target(spec: ModelSpec, table: TableSummary) -> str:
    nearest = difflib.get_close_matches(spec.target, table.columns, n=1)
    hint = f" Did you mean `{nearest[0]}`?" if nearest else ""
    shown = ", ".join(f"`{column}`" for column in table.columns[:12])
    return f"`{table.uri}` has no column `{spec.target}`, the target of *{spec.name}*.{hint} It has {shown}."


def _minutes_of_last(earlier: Sequence[Retrain]) -> float | None:
    for run in earlier:
        if run.promotion and run.result:
            return round(run.result.seconds / 60, 2)  # waiting for a yes is no training
        if run.stage in ("registered", "gate failed") and run.started_at and run.finished_at:
            return round((run.finished_at - run.started_at).total_seconds() / 60, 2)
    return None


def _rows(rows: int | None) -> str:
    return "an unknown number of rows" if rows is None else f"{rows:,} rows"
