"""From a version to the exact plan of its promotion, and whether that plan still holds when it is carried out."""

from collections.abc import Sequence

from pipelines.errors import Refused
from pipelines.people import Person
from pipelines.retrain.promotion import AliasMove, Compared, PromotionPlan
from pipelines.retrain.values import ModelSpec, ModelVersion, Retrain

DIGEST_TAG = "shipmate.model_sha256"


def promotion_id(run_id: str) -> str:
    """The id of the gate before a run's promotion, derived so that it is opened once."""
    return f"{run_id}.promotion"


def plan_promotion(
    run: Retrain, spec: ModelSpec, champion: ModelVersion | None, recent: Sequence[Compared], serving: str
) -> PromotionPlan:
    """The plan for the version that `run` has registered. Raises Refused where there is none."""
    if run.version is None or run.result is None:
        raise Refused("The registered version is gone; nothing is promoted. Order it again.")
    held_out = Compared(
        f"{run.result.rows_test:,} rows held out from training", dict(run.result.metrics),
        dict(run.result.champion_metrics or {}),
    )  # fmt: skip
    return PromotionPlan(
        id=promotion_id(run.run_id), kind="promotion", model=spec.name, version=run.version.version,
        sha256=run.result.model_sha256, champion_version=champion.version if champion else None,
        metric=spec.gate.metric, compared=(held_out, *recent),
        verdict=run.verdict.reason if run.verdict else "No gate has judged it.",
        moves=alias_moves(run.version.version, champion), serving=serving, way_back=_way_back(champion),
        requester_id=run.plan.requester_id, requester_name=run.plan.requester_name, run_id=run.run_id,
    )  # fmt: skip


def plan_way_back(
    plan_id: str, person: Person, spec: ModelSpec, version: ModelVersion, champion: ModelVersion,
    recent: Sequence[Compared], serving: str,
) -> PromotionPlan:  # fmt: skip
    """The plan of making an earlier version the champion again. Raises Refused for a version that cannot be."""
    sha256 = version.tags.get(DIGEST_TAG, "")
    if not sha256:
        raise Refused(
            f"Version {version.version} of {spec.name} was registered by hand, so nobody can say that its file is the "
            "one it was. Give it the alias champion in MLflow yourself."
        )
    own = Compared("each on the rows held out at its own training", dict(version.metrics), dict(champion.metrics))
    return PromotionPlan(
        id=plan_id, kind="rollback", model=spec.name, version=version.version, sha256=sha256,
        champion_version=champion.version, metric=spec.gate.metric, compared=(own, *recent),
        verdict=f"Version {version.version} was the champion before; no gate judges it again.",
        moves=alias_moves(version.version, champion), serving=serving, way_back=_way_back(champion),
        requester_id=person.id, requester_name=person.name,
    )  # fmt: skip


def alias_moves(version: int, champion: ModelVersion | None) -> tuple[AliasMove, ...]:
    moved = AliasMove("champion", champion.version if champion else None, version)
    return (moved, AliasMove("previous", None, champion.version)) if champion else (moved,)


def check_promotable(plan: PromotionPlan, version: ModelVersion | None, champion: ModelVersion | None) -> None:
    """At execution: the version is there as it was, and the champion is the one that was shown."""
    if version is None:
        raise Refused(f"Version {plan.version} of {plan.model} is not in the registry any more; the champion stays.")
    if version.tags.get(DIGEST_TAG) != plan.sha256:
        raise Refused(f"Version {plan.version} of {plan.model} is not the file that was approved; the champion stays.")
    check_champion(plan, champion)


def check_champion(plan: PromotionPlan, champion: ModelVersion | None) -> None:
    """The champion may be the new version already: then a killed process had moved the alias."""
    current = champion.version if champion else None
    if current not in (plan.champion_version, plan.version):
        raise Refused(
            f"The champion changed after this plan was drawn up (version {plan.champion_version or 'none'} then, "
            f"{current or 'none'} now); nothing was moved. `/models {plan.model}` shows how it stands."
        )


def _way_back(champion: ModelVersion | None) -> str:
    if champion is None:
        return "There is no champion before it to go back to."
    return (
        f"Back to version {champion.version}: the button on the card afterwards, or `/models {champion.model}`. "
        f"Its alias is then `previous`."
    )
