"""The living card of a retrain: one message from the plan to the end."""

from bot.cards.blocks import (
    Block,
    Card,
    actions,
    bar_chart,
    button,
    code,
    confirm,
    context,
    escape,
    fields,
    link_button,
    moment,
    plain,
    progress_bar,
    section,
    table,
    tame,
)
from bot.cards.drawing import draw
from bot.cards.metrics import comparison, in_short, metric_name, number
from bot.cards.promotion import back_to, gate_buttons, plan_blocks, votes
from pipelines.approval import plan_digest
from pipelines.retrain.desk import with_stage_of
from pipelines.retrain.overview import Settled
from pipelines.retrain.promotion import Promotion
from pipelines.retrain.promotion_desk import with_promotion_of
from pipelines.retrain.values import (
    LOWER_IS_BETTER,
    Ended,
    GateRule,
    Joined,
    NotPlanned,
    Ordered,
    Retrain,
    Stage,
    TrainingPlan,
)

STEPS: tuple[tuple[Stage, str], ...] = (
    ("awaiting approval", "approved"),
    ("training", "trained"),
    ("gating", "passed the gate"),
    ("registering", "registered"),
    ("publishing", "published"),
)
CENT = 0.01
HEADLINES: dict[Stage, str] = {
    "awaiting approval": ":raised_hand: *Retrain {model}?*  {who} asks",
    "training": ":hourglass_flowing_sand: *Retraining {model}*",
    "gating": ":hourglass_flowing_sand: *Retraining {model}*",
    "registering": ":hourglass_flowing_sand: *Retraining {model}*",
    "publishing": ":hourglass_flowing_sand: *Retraining {model}*",
    "awaiting promotion": ":raised_hand: *Promote version {version} of {model}?*  It has passed the gate",
    "promoting": ":hourglass_flowing_sand: *Promoting version {version} of {model}*",
    "registered": ":white_check_mark: *{model} retrained: version {version} is the new champion*",
    "champion kept": ":shield: *{model} retrained: version {version} is registered, the champion stays*",
    "gate failed": ":no_entry: *{model} retrained, but the gate did not pass*  The champion stays",
    "rejected": ":x: *Retrain {model}* was rejected by {by}",
    "expired": ":alarm_clock: *Retrain {model}* expired without an answer",
    "withdrawn": ":leftwards_arrow_with_hook: *Retrain {model}* was withdrawn by {by}",
    "cancelled": ":octagonal_sign: *Retrain {model}* was cancelled by {by}",
    "failed": ":warning: *Retrain {model}* did not succeed",
}


@draw.register
def _retrain(retrain: Retrain) -> Card:
    lead = headline(retrain)
    blocks: list[Block] = [section(lead)]
    if retrain.stage == "awaiting approval":
        blocks += _asking(retrain)
    elif retrain.promotion and not retrain.finished:
        blocks += _promoting(retrain, retrain.promotion)
    elif not retrain.finished:
        blocks += _running(retrain)
    else:
        blocks += _finished(retrain)
    return Card(plain(lead), tuple(blocks))


@draw.register
def _settled(settled: Settled) -> Card:
    retrain = with_promotion_of(with_stage_of(settled.retrain, settled.approval), settled.approval)
    card = draw(retrain)
    if settled.approval.state != "open" or not settled.approval.votes:
        return card
    return Card(card.text, (*card.blocks, context(votes(settled.approval))))


@draw.register
def _ordered(value: Ordered) -> Card:
    text = f"Looking at the data of *{escape(value.model)}*. The plan appears in a moment."
    return Card(plain(text), (section(f":mag: {text}"),))


@draw.register
def _joined(value: Joined) -> Card:
    run = value.retrain
    where = f" <{value.link}|Here is its card.>" if value.link else " Its card appears in a moment."
    text = (
        f"*{escape(run.plan.model)}* has an unfinished run ({run.stage}), ordered by {escape(run.plan.requester_name)}."
    )
    return Card(plain(text), (section(f":link: {text} You are joined to that one.{where}"),))


@draw.register
def _not_planned(value: NotPlanned) -> Card:
    text = f"*{escape(value.model)}* was not retrained. {tame(value.reason)}"
    return Card(plain(text), (section(f":no_entry_sign: {text}"),))


@draw.register
def _ended(value: Ended) -> Card:
    run = value.retrain
    text = headline(run)
    detail = _detail(run)
    mention = f"<@{run.plan.requester_id}> " if run.plan.trigger == "person" else ""
    return Card(plain(text), (section(f"{mention}{text}{'. ' + detail if detail else ''}"),))


def headline(retrain: Retrain) -> str:
    """One line: what this is and how it stands."""
    return HEADLINES[retrain.stage].format(
        model=escape(retrain.plan.model),
        who=escape(retrain.plan.requester_name),
        by=escape(retrain.settled_by),
        version=retrain.version.version if retrain.version else "?",
    )


def _asking(retrain: Retrain) -> list[Block]:
    plan = retrain.plan
    value = f"{retrain.run_id} {plan_digest(plan)[:16]}"
    sure = confirm("Reject this retrain?", "Nothing is trained. It can be ordered again at any time.", "Reject", "Back")
    back = confirm("Withdraw this request?", "Nothing is trained.", "Withdraw", "Back")
    return [
        *_plan(plan),
        actions(
            button(f"Approve retraining {plan.model}", "retrain.approve", value, "primary"),
            button("Reject", "retrain.reject", value, "danger", sure),
            button("Withdraw", "retrain.cancel", value, "", back),
        ),
        context(f"{_what_follows(plan)}  Run {code(retrain.run_id)}"),
    ]


def _plan(plan: TrainingPlan) -> list[Block]:
    rows = "counted while training" if plan.rows is None else f"{plan.rows:,}"
    rows_told = f"{rows} rows{since_in_words(plan)}"
    champion = f"version {plan.champion_version}" if plan.champion_version else "none yet"
    pairs = [
        ("Data", f"{code(_short(plan.data))}\n{rows_told} · {plan.columns} columns"),
        ("Target", f"{code(plan.target)} ({plan.problem})"),
        ("Champion now", f"{champion}\n{in_short(plan.champion_metrics, plan.gate.metric)}".strip()),
        ("Gate", gate_in_words(plan.gate)),
        ("Runs", f"{place_in_words(plan)}\nup to {plan.memory_limit_mb:,} MB, {plan.timeout_minutes} min"),
        ("Takes and costs", cost_in_words(plan)),
    ]
    note = [context(f":memo: {escape(plan.note)}")] if plan.note else []
    return [fields(pairs), *note]


def _what_follows(plan: TrainingPlan) -> str:
    if plan.promotion == "ask":
        return "Trains a challenger; if it passes the gate, somebody is asked whether it becomes the champion."
    return "Trains a challenger; it becomes champion only if it passes the gate."


def since_in_words(plan: TrainingPlan) -> str:
    """Which of the rows are trained on, where it is not all of them."""
    return f", of them those since {plan.since} by {code(plan.time_column)}" if plan.since else ""


def gate_in_words(rule: GateRule) -> str:
    limits = [
        f"{metric_name(metric)} {'≤' if metric in LOWER_IS_BETTER else '≥'} {number(limit)}"
        for metric, limit in rule.thresholds.items()
    ]
    if rule.not_worse_than_champion:
        slack = f" by more than {rule.tolerance:.1%}" if rule.tolerance else ""
        limits.append(f"{metric_name(rule.metric)} not worse than the champion's{slack}")
    return "\n".join(limits) or "none"


def _running(retrain: Retrain) -> list[Block]:
    progress = retrain.progress
    lines = [_steps(retrain)]
    if progress and retrain.stage == "training":
        told = f"  {escape(progress.step)}{': ' + escape(progress.text) if progress.text else ''}"
        lines.append(f"{progress_bar(progress.fraction)}{told}")
    sure = confirm("Cancel this run?", "The training process is ended; the champion stays.", "Cancel the run", "Back")
    return [
        section("\n".join(lines)),
        actions(button("Cancel", "retrain.cancel", retrain.run_id, "danger", sure)),
        context(_approved(retrain), f"Run {code(retrain.run_id)}"),
    ]


def _promoting(retrain: Retrain, promotion: Promotion) -> list[Block]:
    blocks = plan_blocks(promotion.plan)
    if promotion.stage == "awaiting approval":
        blocks.append(gate_buttons(promotion.plan))
    return [*blocks, *_facts(retrain), context(_approved(retrain), f"Run {code(retrain.run_id)}")]


def _steps(retrain: Retrain) -> str:
    reached = [stage for stage, _ in STEPS].index(retrain.stage)
    marks = [":white_check_mark:"] * reached + [":arrow_forward:"] + [":white_circle:"] * (len(STEPS) - reached - 1)
    return "   ".join(f"{mark} {name}" for mark, (_, name) in zip(marks, STEPS, strict=True))


def _finished(retrain: Retrain) -> list[Block]:
    blocks: list[Block] = []
    detail = _detail(retrain)
    if detail:
        blocks.append(section(detail))
    if retrain.result:
        blocks += [table(comparison(retrain.result, retrain.verdict)), *_charts(retrain), *_facts(retrain)]
    buttons = _end_buttons(retrain)
    if buttons:
        blocks.append(actions(*buttons))
    return [*blocks, context(_approved(retrain), f"Run {code(retrain.run_id)}", _duration(retrain))]


def _detail(retrain: Retrain) -> str:
    return tame(retrain.failure or (retrain.verdict.reason if retrain.verdict else ""))


def _charts(retrain: Retrain) -> list[Block]:
    result = retrain.result
    if result is None or not result.importance:
        return []
    top = sorted(result.importance, key=lambda item: -item.mean)[:6]
    names = [item.feature for item in top]
    means = [round(max(item.mean, 0.0), 5) for item in top]
    return [bar_chart("What the model looks at", names, [("Importance", means)], "Permutation importance")]


def _facts(retrain: Retrain) -> list[Block]:
    result = retrain.result
    if result is None:
        return []
    facts = [f"{escape(result.estimator)}, {result.rows_train:,} rows trained, {result.rows_test:,} tested"]
    if result.coverage:
        facts.append(
            f"{result.coverage.level:.0%} prediction sets held {result.coverage.measured:.1%} of the test rows"
        )
    facts += [f":warning: {escape(warning)}" for warning in result.warnings[:3]]
    return [context(*facts)]


def _end_buttons(retrain: Retrain) -> list[Block]:
    buttons = []
    if retrain.version and retrain.version.url:
        buttons.append(link_button("Open in MLflow", retrain.version.url, "link.mlflow"))
    if retrain.stage == "registered" and retrain.version and (champion := _replaced(retrain)):
        buttons.append(back_to(retrain.plan.model, retrain.version.version, champion))
    if retrain.stage in ("failed", "cancelled", "expired", "gate failed", "champion kept"):
        buttons.append(button("Order again", "retrain.again", retrain.plan.model))
    return buttons


def _replaced(retrain: Retrain) -> int | None:
    """The champion that this run's version has replaced."""
    return retrain.promotion.plan.champion_version if retrain.promotion else retrain.plan.champion_version


def _approved(retrain: Retrain) -> str:
    if not retrain.settled_by or retrain.settled_at is None or retrain.stage in ("rejected", "withdrawn", "cancelled"):
        return f"Asked by {escape(retrain.plan.requester_name)}"
    return (
        f"Asked by {escape(retrain.plan.requester_name)} · "
        f"Approved by {escape(retrain.settled_by)}, {moment(retrain.settled_at, '{time}')}{_promoted(retrain)}"
    )


def _promoted(retrain: Retrain) -> str:
    promotion = retrain.promotion
    if retrain.stage != "registered" or promotion is None or promotion.settled_at is None:
        return ""
    return f" · Promoted by {escape(promotion.settled_by)}, {moment(promotion.settled_at, '{time}')}"


def _duration(retrain: Retrain) -> str:
    if retrain.started_at is None or retrain.finished_at is None:
        return ""
    if retrain.promotion and retrain.result:
        return f"{retrain.result.seconds:,.0f} s of training"
    return f"{(retrain.finished_at - retrain.started_at).total_seconds():,.0f} s"


def place_in_words(plan: TrainingPlan) -> str:
    places = {"local": "beside the bot", "kubernetes": "as a Kubernetes Job", "github": "as a GitHub workflow"}
    return places[plan.runner]


def cost_in_words(plan: TrainingPlan) -> str:
    if plan.estimated_minutes is None:
        return "not known yet: the first run"
    cost = f"about ${plan.estimated_cost:,.2f}" if plan.estimated_cost >= CENT else "less than a cent"
    minutes = plan.estimated_minutes
    time = f"{minutes * 60:.0f} s" if minutes < 2 else f"{minutes:.0f} min"
    return f"about {time} as last time\n{cost}"


def _short(uri: str) -> str:
    return uri if len(uri) <= 60 else "…" + uri[-58:]
